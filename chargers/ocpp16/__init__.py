"""OCPP 1.6: what is special about this version."""
