import pytest
from cryptography.fernet import Fernet

from ocpi.partners.secrets import UnreadableSecret, decrypt, digest, encrypt, new_token


def test_reads_back_what_it_encrypted_and_hides_it():
    assert decrypt(encrypt("their-token")) == "their-token"
    assert "their-token" not in encrypt("their-token")


def test_reads_old_secrets_after_a_new_key_came_first(settings):
    stored = encrypt("their-token")
    settings.FIELD_KEYS = [Fernet.generate_key().decode(), *settings.FIELD_KEYS]

    assert decrypt(stored) == "their-token"


def test_says_that_the_key_is_missing(settings):
    stored = encrypt("their-token")
    settings.FIELD_KEYS = [Fernet.generate_key().decode()]

    with pytest.raises(UnreadableSecret, match="FIELD_KEYS"):
        decrypt(stored)


def test_makes_tokens_that_ocpi_takes_and_nobody_guesses():
    tokens = {new_token() for _ in range(1000)}

    assert len(tokens) == 1000
    assert all(len(token) == 43 and token.isascii() and token.isprintable() for token in tokens)
    # One in 64 would; command lines take it for an option.
    assert not any(token.startswith("-") for token in tokens)
    assert digest("token") == "3c469e9d6c5875d37a43f353d4f88e61fcf812c66eee3457465a40b0da4153e0"
