"""A simulated OCPP charging station with a car; uses no database. Only the command and tests use it."""
