"""The objects and enums of OCPI 2.2.1 that this node reads, as the specification's own tables state them.

One line a field: name, type with its length, cardinality (1, ?, * or +).
"""

from __future__ import annotations

from dataclasses import dataclass

OBJECTS = {
    "Image": """
        url        URL            1
        thumbnail  URL            ?
        category   ImageCategory  1
        type       CiString(4)    1
        width      int(5)         ?
        height     int(5)         ?
    """,
    "BusinessDetails": """
        name     string(100)  1
        website  URL          ?
        logo     Image        ?
    """,
    "CredentialsRole": """
        role              Role             1
        business_details  BusinessDetails  1
        party_id          CiString(3)      1
        country_code      CiString(2)      1
    """,
    "Credentials": """
        token  string(64)       1
        url    URL              1
        roles  CredentialsRole  +
    """,
    "DisplayText": """
        language  string(2)    1
        text      string(512)  1
    """,
    "GeoLocation": """
        latitude   string(10)  1
        longitude  string(11)  1
    """,
    "AdditionalGeoLocation": """
        latitude   string(10)   1
        longitude  string(11)   1
        name       DisplayText  ?
    """,
    "PublishTokenType": """
        uid            CiString(36)  ?
        type           TokenType     ?
        visual_number  string(64)    ?
        issuer         string(64)    ?
        group_id       CiString(36)  ?
    """,
    "RegularHours": """
        weekday       int(1)     1
        period_begin  string(5)  1
        period_end    string(5)  1
    """,
    "ExceptionalPeriod": """
        period_begin  DateTime  1
        period_end    DateTime  1
    """,
    "Hours": """
        twentyfourseven       boolean            1
        regular_hours         RegularHours       *
        exceptional_openings  ExceptionalPeriod  *
        exceptional_closings  ExceptionalPeriod  *
    """,
    "EnergySource": """
        source      EnergySourceCategory  1
        percentage  number                1
    """,
    "EnvironmentalImpact": """
        category  EnvironmentalImpactCategory  1
        amount    number                       1
    """,
    "EnergyMix": """
        is_green_energy      boolean              1
        energy_sources       EnergySource         *
        environ_impact       EnvironmentalImpact  *
        supplier_name        string(64)           ?
        energy_product_name  string(64)           ?
    """,
    "StatusSchedule": """
        period_begin  DateTime  1
        period_end    DateTime  ?
        status        Status    1
    """,
    "Connector": """
        id                    CiString(36)     1
        standard              ConnectorType    1
        format                ConnectorFormat  1
        power_type            PowerType        1
        max_voltage           int              1
        max_amperage          int              1
        max_electric_power    int              ?
        tariff_ids            CiString(36)     *
        terms_and_conditions  URL              ?
        last_updated          DateTime         1
    """,
    "EVSE": """
        uid                   CiString(36)        1
        evse_id               CiString(48)        ?
        status                Status              1
        status_schedule       StatusSchedule      *
        capabilities          Capability          *
        connectors            Connector           +
        floor_level           string(4)           ?
        coordinates           GeoLocation         ?
        physical_reference    string(16)          ?
        directions            DisplayText         *
        parking_restrictions  ParkingRestriction  *
        images                Image               *
        last_updated          DateTime            1
    """,
    "Location": """
        country_code          CiString(2)            1
        party_id              CiString(3)            1
        id                    CiString(36)           1
        publish               boolean                1
        publish_allowed_to    PublishTokenType       *
        name                  string(255)            ?
        address               string(255)            1
        city                  string(45)             1
        postal_code           string(10)             ?
        state                 string(45)             ?
        country               string(3)              1
        coordinates           GeoLocation            1
        related_locations     AdditionalGeoLocation  *
        parking_type          ParkingType            ?
        evses                 EVSE                   *
        directions            DisplayText            *
        operator              BusinessDetails        ?
        suboperator           BusinessDetails        ?
        owner                 BusinessDetails        ?
        facilities            Facility               *
        time_zone             string(255)            1
        opening_times         Hours                  ?
        charging_when_closed  boolean                ?
        images                Image                  *
        energy_mix            EnergyMix              ?
        last_updated          DateTime               1
    """,
    "CdrToken": """
        country_code  CiString(2)   1
        party_id      CiString(3)   1
        uid           CiString(36)  1
        type          TokenType     1
        contract_id   CiString(36)  1
    """,
    "CdrDimension": """
        type    CdrDimensionType  1
        volume  number            1
    """,
    "ChargingPeriod": """
        start_date_time  DateTime      1
        dimensions       CdrDimension  +
        tariff_id        CiString(36)  ?
    """,
    "Price": """
        excl_vat  number  1
        incl_vat  number  ?
    """,
    "Session": """
        country_code             CiString(2)     1
        party_id                 CiString(3)     1
        id                       CiString(36)    1
        start_date_time          DateTime        1
        end_date_time            DateTime        ?
        kwh                      number          1
        cdr_token                CdrToken        1
        auth_method              AuthMethod      1
        authorization_reference  CiString(36)    ?
        location_id              CiString(36)    1
        evse_uid                 CiString(36)    1
        connector_id             CiString(36)    1
        meter_id                 string(255)     ?
        currency                 string(3)       1
        charging_periods         ChargingPeriod  *
        total_cost               Price           ?
        status                   SessionStatus   1
        last_updated             DateTime        1
    """,
    "ChargingPreferences": """
        profile_type       ProfileType  1
        departure_time     DateTime     ?
        energy_need        number       ?
        discharge_allowed  boolean      ?
    """,
    "ChargingProfilePeriod": """
        start_period  int     1
        limit         number  1
    """,
    "ChargingProfile": """
        start_date_time          DateTime               ?
        duration                 int                    ?
        charging_rate_unit       ChargingRateUnit       1
        min_charging_rate        number                 ?
        charging_profile_period  ChargingProfilePeriod  *
    """,
    "SetChargingProfile": """
        charging_profile  ChargingProfile  1
        response_url      URL              1
    """,
    "ActiveChargingProfile": """
        start_date_time   DateTime         1
        charging_profile  ChargingProfile  1
    """,
    "ActiveChargingProfileResult": """
        result   ChargingProfileResultType  1
        profile  ActiveChargingProfile      ?
    """,
    "ChargingProfileResult": """
        result  ChargingProfileResultType  1
    """,
}

ENUMS = {
    "AuthMethod": "AUTH_REQUEST COMMAND WHITELIST",
    "Capability": """
        CHARGING_PROFILE_CAPABLE CHARGING_PREFERENCES_CAPABLE CHIP_CARD_SUPPORT CONTACTLESS_CARD_SUPPORT
        CREDIT_CARD_PAYABLE DEBIT_CARD_PAYABLE PED_TERMINAL REMOTE_START_STOP_CAPABLE RESERVABLE RFID_READER
        START_SESSION_CONNECTOR_REQUIRED TOKEN_GROUP_CAPABLE UNLOCK_CAPABLE
    """,
    "CdrDimensionType": """
        CURRENT ENERGY ENERGY_EXPORT ENERGY_IMPORT MAX_CURRENT MIN_CURRENT MAX_POWER MIN_POWER PARKING_TIME
        POWER RESERVATION_TIME STATE_OF_CHARGE TIME
    """,
    "ChargingProfileResultType": "ACCEPTED REJECTED UNKNOWN",
    "ChargingRateUnit": "W A",
    "ConnectorFormat": "SOCKET CABLE",
    "ConnectorType": """
        CHADEMO CHAOJI DOMESTIC_A DOMESTIC_B DOMESTIC_C DOMESTIC_D DOMESTIC_E DOMESTIC_F DOMESTIC_G DOMESTIC_H
        DOMESTIC_I DOMESTIC_J DOMESTIC_K DOMESTIC_L DOMESTIC_M DOMESTIC_N DOMESTIC_O GBT_AC GBT_DC
        IEC_60309_2_single_16 IEC_60309_2_three_16 IEC_60309_2_three_32 IEC_60309_2_three_64 IEC_62196_T1
        IEC_62196_T1_COMBO IEC_62196_T2 IEC_62196_T2_COMBO IEC_62196_T3A IEC_62196_T3C NEMA_5_20 NEMA_6_30
        NEMA_6_50 NEMA_10_30 NEMA_10_50 NEMA_14_30 NEMA_14_50 PANTOGRAPH_BOTTOM_UP PANTOGRAPH_TOP_DOWN TESLA_R
        TESLA_S
    """,
    "EnergySourceCategory": "NUCLEAR GENERAL_FOSSIL COAL GAS GENERAL_GREEN SOLAR WIND WATER",
    "EnvironmentalImpactCategory": "NUCLEAR_WASTE CARBON_DIOXIDE",
    "Facility": """
        HOTEL RESTAURANT CAFE MALL SUPERMARKET SPORT RECREATION_AREA NATURE MUSEUM BIKE_SHARING BUS_STOP
        TAXI_STAND TRAM_STOP METRO_STATION TRAIN_STATION AIRPORT PARKING_LOT CARPOOL_PARKING FUEL_STATION WIFI
    """,
    "ImageCategory": "CHARGER ENTRANCE LOCATION NETWORK OPERATOR OTHER OWNER",
    "ParkingRestriction": "EV_ONLY PLUGGED DISABLED CUSTOMERS MOTORCYCLES",
    "ParkingType": "ALONG_MOTORWAY PARKING_GARAGE PARKING_LOT ON_DRIVEWAY ON_STREET UNDERGROUND_GARAGE",
    "PowerType": "AC_1_PHASE AC_2_PHASE AC_2_PHASE_SPLIT AC_3_PHASE DC",
    "ProfileType": "CHEAP FAST GREEN REGULAR",
    "Role": "CPO EMSP HUB NAP NSP OTHER SCSP",
    "SessionStatus": "ACTIVE COMPLETED INVALID PENDING RESERVATION",
    "Status": "AVAILABLE BLOCKED CHARGING INOPERATIVE OUTOFORDER PLANNED REMOVED RESERVED UNKNOWN",
    "TokenType": "AD_HOC_USER APP_USER OTHER RFID",
}


@dataclass(frozen=True)
class Row:
    """One field of a table; `type` is without its length, `longest` None where the table gives none."""

    name: str
    type: str
    longest: int | None
    cardinality: str

    @property
    def is_required(self) -> bool:
        """Tell whether the field must be there."""
        return self.cardinality in "1+"

    @property
    def is_list(self) -> bool:
        """Tell whether it holds several."""
        return self.cardinality in "*+"


def rows(name: str) -> list[Row]:
    """Return the table of an object."""
    found = []
    for line in OBJECTS[name].split("\n"):
        if line.strip():
            field, kind, cardinality = line.split()
            plain, _, length = kind.rstrip(")").partition("(")
            found.append(Row(field, plain, int(length) if length else None, cardinality))
    return found


def values(name: str) -> list[str]:
    """Return the values of an enum."""
    return ENUMS[name].split()
