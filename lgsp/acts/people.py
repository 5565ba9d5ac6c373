"""People of the management API: add one, sign in, tell whose token it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lgsp.errors import Fault
from lgsp.ports.office import Person

if TYPE_CHECKING:
    from lgsp.ports.office import Office


@dataclass(frozen=True, slots=True)
class Session:
    """A signed-in person: the bearer token, when it ends, and what its owner may do."""

    token: str
    expires_at: float
    role: str

    def __repr__(self) -> str:
        return f"Session(token=***, expires_at={self.expires_at}, role={self.role!r})"


@dataclass(frozen=True, slots=True)
class Applicant:
    """A person to be added, with the password in clear for the moment that it takes to hash it."""

    name: str
    role: str
    password: str

    def __repr__(self) -> str:
        return f"Applicant({self.name!r}, {self.role!r}, password=***)"


async def add_person(office: Office, applicant: Applicant, author: str) -> None:
    """Give somebody an account; Fault("already-exists") if the name is taken."""
    digest = await office.passwords.digest(applicant.password)
    person = Person(applicant.name, applicant.role, digest)
    if not await office.people.add_person(person, author, office.now()):
        raise Fault("already-exists", f"{applicant.name} has an account")


async def sign_in(office: Office, name: str, password: str, source: str) -> Session:
    """Name and password to a session; unknown name and wrong password are told alike and take the same time."""
    office.sign_in_guard.check(name, source, office.now())
    person = await office.people.person(name)
    matches = await office.passwords.matches(person.password if person else None, password)
    if person is None or not matches:
        office.sign_in_guard.failed(name, source, office.now())
        raise Fault("sign-in-failed")
    office.sign_in_guard.succeeded(name, source)
    token, expires_at = office.sessions.issue(name, office.now())
    return Session(token, expires_at, person.role)


async def who(office: Office, token: str) -> Person:
    """Whose session it is. The role is read anew each time, so that a token never outlives a change of role."""
    person = await office.people.person(office.sessions.name(token, office.now()))
    if person is None:
        raise Fault("session-invalid", "the account is gone")
    return person
