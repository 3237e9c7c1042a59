"""Secrets are read from where their names say they are: the environment or a keyring."""

import keyring
import pytest
from keyring.backend import KeyringBackend
from keyring.backends import fail
from keyring.errors import PasswordDeleteError

from bursar.app.words import secret
from bursar.config import SecretName
from bursar.errors import BadChoice


class Kept(KeyringBackend):
    """A keyring that the library takes for one: its words are kept for as long as it is there."""

    priority = 1

    def __init__(self):
        super().__init__()
        self.words = {}

    def get_password(self, service, username):
        return self.words.get((service, username))

    def set_password(self, service, username, password):
        self.words[service, username] = password

    def delete_password(self, service, username):
        if self.words.pop((service, username), None) is None:
            raise PasswordDeleteError(username)


@pytest.fixture
def ring():
    """Make the library use a keyring of our own, and then again the one it had."""
    before = keyring.get_keyring()
    keyring.set_keyring(Kept())
    yield
    keyring.set_keyring(before)


def test_a_key_is_read_from_the_systems_keyring(ring):
    name = SecretName(keyring="kraken-key")
    keyring.set_password("bursar", "kraken-key", "k3y")
    assert secret(name) == "k3y"
    keyring.delete_password("bursar", "kraken-key")
    with pytest.raises(BadChoice, match="the entry kraken-key of bursar in the keyring holds no"):
        secret(name)


def test_an_entry_of_another_program_is_not_ours(ring):
    keyring.set_password("other", "kraken-key", "k3y")
    with pytest.raises(BadChoice, match="holds no key"):
        secret(SecretName(keyring="kraken-key"))


def test_a_keyring_that_does_not_work_says_so_without_the_secret(ring):
    keyring.set_keyring(fail.Keyring())  # what there is on a machine without a desktop
    with pytest.raises(BadChoice, match=r"cannot be asked for kraken-key \(NoKeyringError\)"):
        secret(SecretName(keyring="kraken-key"))


def test_a_key_in_the_environment_is_read_there(monkeypatch):
    monkeypatch.setenv("SOME_KEY", "k3y")
    assert secret(SecretName(env="SOME_KEY")) == "k3y"
