"""The enums of the Locations module (OCPI 2.2.1 mod_locations, "Data types").

Those that only describe are open: values that we don't know are kept, so that a partner with a newer OCPI is
not turned away.
"""

from ocpi.protocol.types import Enum

STATUS = Enum(
    "AVAILABLE",
    "BLOCKED",
    "CHARGING",
    "INOPERATIVE",
    "OUTOFORDER",
    "PLANNED",
    "REMOVED",
    "RESERVED",
    "UNKNOWN",
    fallback="UNKNOWN",
)
CONNECTOR_TYPE = Enum(
    "CHADEMO",
    "CHAOJI",
    *(f"DOMESTIC_{letter}" for letter in "ABCDEFGHIJKLMNO"),
    "GBT_AC",
    "GBT_DC",
    "IEC_60309_2_single_16",
    "IEC_60309_2_three_16",
    "IEC_60309_2_three_32",
    "IEC_60309_2_three_64",
    "IEC_62196_T1",
    "IEC_62196_T1_COMBO",
    "IEC_62196_T2",
    "IEC_62196_T2_COMBO",
    "IEC_62196_T3A",
    "IEC_62196_T3C",
    "NEMA_5_20",
    "NEMA_6_30",
    "NEMA_6_50",
    "NEMA_10_30",
    "NEMA_10_50",
    "NEMA_14_30",
    "NEMA_14_50",
    "PANTOGRAPH_BOTTOM_UP",
    "PANTOGRAPH_TOP_DOWN",
    "TESLA_R",
    "TESLA_S",
    open=True,
)
CONNECTOR_FORMAT = Enum("CABLE", "SOCKET")
POWER_TYPE = Enum("AC_1_PHASE", "AC_2_PHASE", "AC_2_PHASE_SPLIT", "AC_3_PHASE", "DC")
CAPABILITY = Enum(
    "CHARGING_PREFERENCES_CAPABLE",
    "CHARGING_PROFILE_CAPABLE",
    "CHIP_CARD_SUPPORT",
    "CONTACTLESS_CARD_SUPPORT",
    "CREDIT_CARD_PAYABLE",
    "DEBIT_CARD_PAYABLE",
    "PED_TERMINAL",
    "REMOTE_START_STOP_CAPABLE",
    "RESERVABLE",
    "RFID_READER",
    "START_SESSION_CONNECTOR_REQUIRED",
    "TOKEN_GROUP_CAPABLE",
    "UNLOCK_CAPABLE",
    open=True,
)
FACILITY = Enum(
    "AIRPORT",
    "BIKE_SHARING",
    "BUS_STOP",
    "CAFE",
    "CARPOOL_PARKING",
    "FUEL_STATION",
    "HOTEL",
    "MALL",
    "METRO_STATION",
    "MUSEUM",
    "NATURE",
    "PARKING_LOT",
    "RECREATION_AREA",
    "RESTAURANT",
    "SPORT",
    "SUPERMARKET",
    "TAXI_STAND",
    "TRAIN_STATION",
    "TRAM_STOP",
    "WIFI",
    open=True,
)
PARKING_TYPE = Enum(
    "ALONG_MOTORWAY",
    "ON_DRIVEWAY",
    "ON_STREET",
    "PARKING_GARAGE",
    "PARKING_LOT",
    "UNDERGROUND_GARAGE",
    open=True,
)
PARKING_RESTRICTION = Enum("CUSTOMERS", "DISABLED", "EV_ONLY", "MOTORCYCLES", "PLUGGED", open=True)
ENERGY_SOURCE_CATEGORY = Enum(
    "COAL", "GAS", "GENERAL_FOSSIL", "GENERAL_GREEN", "NUCLEAR", "SOLAR", "WATER", "WIND", open=True
)
ENVIRONMENTAL_IMPACT_CATEGORY = Enum("CARBON_DIOXIDE", "NUCLEAR_WASTE", open=True)
TOKEN_TYPE = Enum("AD_HOC_USER", "APP_USER", "OTHER", "RFID", open=True)
