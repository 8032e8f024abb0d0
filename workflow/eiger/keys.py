"""The pair of keys: opened only when a request goes out, and never shown."""

import base64

from pydantic import SecretStr


class Keys:
    """HTTP Basic: the access key is the user, the secret key the password (RFC 7617)."""

    def __init__(self, access_key: SecretStr, secret_key: SecretStr) -> None:
        self._access_key, self._secret_key = access_key, secret_key

    def header(self) -> str:
        """Give the value of the Authorization header."""
        return f"Basic {self._token()}"

    def secrets(self) -> tuple[str, ...]:
        """Give every form in which the keys could come back in a reply, the longest first."""
        return self._token(), self._secret_key.get_secret_value(), self._access_key.get_secret_value()

    def _token(self) -> str:
        pair = f"{self._access_key.get_secret_value()}:{self._secret_key.get_secret_value()}"
        return base64.b64encode(pair.encode()).decode("ascii")
