"""The specification's own examples, by what they are examples of (tests/fixtures/ocpi-2.2.1-examples)."""

LOCATIONS = [
    "location_example",
    "location_example_parking_garage_opening_hours",
    "location_example_uc2_destination_charger",
    "location_example_uc3_destination_charger_not_published",
    "location_example_uc4_limited_visibility",
    "location_example_uc5_home_charge_point",
]
# Parts of a location: the field that each belongs to, "" where the example names it itself.
PARTS = {
    "location_energymix_example_complete": "",
    "location_energymix_example_energy_provider": "",
    "location_energymix_example_simple": "",
    "location_hours_247_open_exception_closing": "opening_times",
    "location_hours_opening_hours_with_exceptional_closing": "opening_times",
    "location_hours_opening_hours_with_exceptional_opening": "opening_times",
    "location_regularhours_example": "",
    "type_displaytext_example": "directions",
}
LOCATION_PATCHES = {
    "location_patch_example_location": "",
    "location_patch_example_remove_evse": "/3256",
    "location_patch_example_status": "/3256",
    "location_patch_example_tariff": "/3256/1",
}
SESSIONS = ["session_example_1_simple_start", "session_example_2_short_finished"]
SESSION_PATCHES = ["session_patch_example_charging_period", "session_patch_example_total_cost"]
CREDENTIALS = [
    "credentials_example",
    "credentials_example2",
    "credentials_example3",
    "credentials_example4",
]
VERSIONS = [
    "transport_and_format_version_details_example",
    "transport_and_format_version_info_example",
    "version_details_example",
    "version_details_example2",
    "versions_info_example",
]
BROKEN = ["location_put_example_add_evse"]
