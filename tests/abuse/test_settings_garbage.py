"""What the environment says is a setting, or stops the process with a sentence that names it."""

from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from gateway.settings import GatewaySettings

SETTING_NAMES = (
    "trusted_proxies", "allowed_origins", "auth_sign_in_url", "jaeger_ui_url", "auth_jwks_url",
    "namespace", "host", "port", "max_tabs", "request_seconds", "auth_mode", "telemetry_content",
)  # fmt: skip
setting_values = st.text(max_size=40) | st.lists(
    st.sampled_from(
        ["http://", "/", "\\", "{return_to}", "{", "@", ":", "::1", "1/0", ",", "[", "a"]
    ),
    max_size=8,
).map("".join)


@given(st.sampled_from(SETTING_NAMES), setting_values)
def test_any_setting_is_taken_or_refused_with_its_name(name: str, value: str) -> None:
    try:
        GatewaySettings.model_validate({name: value})
    except ValidationError as error:
        told = str(error).upper()
        assert name.upper() in told or "HOST" in told
