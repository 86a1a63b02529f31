"""Settings of the identity provider."""

from __future__ import annotations

from pathlib import Path

import pytest

from gisgrid.access import Grant
from gisgrid.errors import BadInput
from gisgrid.settings import Settings
from gisgrid.settings_sign_in import ClaimRole, provider_from

BASE = {"GISGRID_OIDC_ISSUER": "https://id.example/realms/city", "GISGRID_OIDC_CLIENT_ID": "gisgrid"}


def test_provider_is_read(tmp_path: Path) -> None:
    secret, roles = tmp_path / "secret", tmp_path / "roles"
    secret.write_text("#a,secret\n")
    roles.write_text("# who does what\ngroups/cn=grid,ou=city=planner:370811001\nrealm_access.roles/it=admin\n")
    env = BASE | {"GISGRID_OIDC_CLIENT_SECRET": f"@{secret}", "GISGRID_OIDC_ROLES": f"@{roles}"}
    settings = Settings.from_env(env)
    assert settings.oidc_client_secret == "#a,secret"
    assert "#a,secret" not in repr(settings)
    assert settings.oidc_roles == (
        ClaimRole("groups", "cn=grid,ou=city", Grant("planner", "370811001")),
        ClaimRole("realm_access.roles", "it", Grant("admin")),
    )


@pytest.mark.parametrize(
    ("env", "word"),
    [
        ({"GISGRID_OIDC_CLIENT_ID": "x"}, "GISGRID_OIDC_ISSUER"),
        ({"GISGRID_OIDC_ISSUER": "https://id.example"}, "GISGRID_OIDC_CLIENT_ID"),
        (BASE | {"GISGRID_OIDC_ISSUER": "http://id.example"}, "not encrypted"),
        (BASE | {"GISGRID_OIDC_ISSUER": "id.example"}, "no address"),
        (BASE | {"GISGRID_OIDC_ROLES": "groups=planner"}, "CLAIM/VALUE"),
        (BASE | {"GISGRID_OIDC_ROLES": "groups/x=king"}, "king"),
        (BASE | {"GISGRID_OIDC_CLIENT_SECRET": "@/no/such/file"}, "@FILE"),
    ],
)
def test_what_cannot_be_used_is_named(env: dict[str, str], word: str) -> None:
    with pytest.raises(BadInput, match=word):
        provider_from(env)


@pytest.mark.parametrize(("name", "value"), [("SESSION_HOURS", "0"), ("SESSION_HOURS", "x"), ("SECURE_COOKIES", "2")])
def test_odd_values_are_refused(name: str, value: str) -> None:
    with pytest.raises(BadInput, match=f"GISGRID_{name}"):
        Settings.from_env({f"GISGRID_{name}": value})
