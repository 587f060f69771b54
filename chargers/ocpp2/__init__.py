"""OCPP 2.0.1 and 2.1, which say the same of what we need; pure, no database."""
