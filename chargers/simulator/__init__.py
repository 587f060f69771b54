"""A simulated OCPP 1.6J charging station with a car; uses no database. Only the command and tests use it."""
