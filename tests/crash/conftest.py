import pytest

from tests.crash.nursery import Nursery


@pytest.fixture(scope="module")
def nursery():
    nursery = Nursery()
    yield nursery
    nursery.close()
