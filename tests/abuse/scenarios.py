"""The abuse table: what is tried, how often, and what may be answered."""

from collections.abc import Mapping
from dataclasses import dataclass, field

SHORT_SHARE = 50
"""In the short run everything is tried so many times less."""

SHUT = ("refusals connections", "refusals address_waiting", "refusals slow")
FRAME_CODES = ("bad_json", "bad_frame", "unknown_type", "wrong_session", "too_long", "unknown_turn")
REFUSED_FRAMES = tuple(f"frames {code}" for code in FRAME_CODES)
REFUSED_ERRORS = tuple(f"error {code}" for code in FRAME_CODES)


@dataclass(frozen=True)
class Scenario:
    """One row."""

    name: str
    attack: str
    """`module.function` in `tests/abuse/attacks`."""
    times: int
    """In the long run: tries, or frames."""
    answers: frozenset[str]
    """All that may be answered."""
    due: frozenset[str] = frozenset()
    """What must be answered at least once."""
    agree: Mapping[tuple[str, ...], tuple[str, ...]] = field(default_factory=lambda: {})
    """Metrics of the gateway whose sum is the sum of these answers, to attackers and newcomers."""
    lets_in: bool = False
    """Whether every newcomer must be let in meanwhile."""
    least: int = 1
    """How often in the short run at least: where a limit has to be reached."""
    most_megabytes: int = 48
    """By how much the gateway's memory may grow meanwhile."""

    def times_of(self, is_long: bool) -> int:
        """How often it is tried."""
        return self.times if is_long else max(self.times // SHORT_SHARE, self.least)


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split("|"))


SCENARIOS = (
    Scenario(
        "connections that say nothing", "connections.say_nothing", 5000, _words("cut"),
        agree={SHUT: ("cut",)}, lets_in=True, most_megabytes=150,
    ),
    Scenario(
        "the same from a thousand addresses", "connections.say_nothing_everywhere", 5000,
        _words("cut"), agree={SHUT: ("cut",)}, most_megabytes=150,
    ),
    Scenario(
        "handshakes a byte at a time", "connections.say_it_slowly", 2000, _words("cut"),
        agree={SHUT: ("cut",)}, most_megabytes=100,
    ),
    Scenario(
        "requests of which the rest never comes", "connections.say_half", 1000, _words("cut"),
        agree={SHUT: ("cut",)}, most_megabytes=100,
    ),
    Scenario(
        "tabs opened and dropped", "connections.come_and_go", 3000,
        _words("101|dropped before its answer"),
    ),
    Scenario(
        "tabs of one address", "connections.crowd_an_address", 500, _words("101|429"),
        due=_words("101|429"), agree={("refusals address_tabs",): ("429",)}, least=150,
    ),
    Scenario(
        "tabs of one session", "connections.crowd_a_session", 500, _words("101|429"),
        due=_words("101|429"), agree={("refusals session_tabs",): ("429",)}, least=50,
    ),
    Scenario(
        "tabs beyond MAX_TABS", "connections.crowd_the_gateway", 1500, _words("101|503"),
        due=_words("101|503"), agree={("refusals tabs",): ("503",)}, least=450,
        most_megabytes=100,
    ),
    Scenario(
        "strange handshakes", "connections.shake_hands_strangely", 1500,
        _words("400|403|404|405|414|426|431|401|200"), least=60,
    ),
    Scenario(
        "500 requests in one breath", "connections.pipeline", 100, _words("200|400|cut"),
    ),
    Scenario(
        "heads and bodies without an end", "connections.bring_too_much", 300,
        _words("413|431|cut"), most_megabytes=64,
    ),
    Scenario(
        "messages to one session", "messages.flood_a_session", 5000,
        _words("message|error too_many"), due=_words("message|error too_many"), least=200,
        agree={("frames too_many",): ("error too_many",), ("accepted",): ("message",)},
    ),
    Scenario(
        "messages from one address", "messages.flood_from_an_address", 5000,
        _words("message|error too_many"), due=_words("message|error too_many"), least=400,
        agree={("frames too_many",): ("error too_many",), ("accepted",): ("message",)},
    ),
    Scenario(
        "messages that are accepted", "messages.be_accepted", 1000, _words("message"),
        due=_words("message"), agree={("accepted",): ("message",)}, least=20,
    ),
    Scenario(
        "one message again and again", "messages.say_it_again", 20_000,
        _words("message|error bad_json"), due=_words("message|error bad_json"), least=500,
        agree={("accepted",): ("message",), ("frames bad_json",): ("error bad_json",)},
    ),
    Scenario(
        "messages that are posted to one session", "plain_http.post_to_a_session", 3000,
        _words("202|429"), due=_words("202|429"), least=150,
        agree={("frames too_many",): ("429",), ("accepted",): ("202",)},
    ),
    Scenario(
        "messages that are posted from one address", "plain_http.post_from_an_address", 3000,
        _words("202|429"), due=_words("202|429"), least=400,
        agree={("frames too_many", "refusals too_many_requests"): ("429",),
               ("accepted",): ("202",)},
    ),
    Scenario(
        "streams of one address", "plain_http.crowd_streams", 500, _words("200|429"),
        due=_words("200|429"), agree={("refusals address_tabs",): ("429",)}, least=150,
    ),
    Scenario(
        "frames that are refused", "messages.talk_nonsense", 20_000,
        frozenset({*REFUSED_ERRORS, "error too_many", "close 1008"}), due=_words("close 1008"),
        least=1200,
        agree={(*REFUSED_FRAMES, "frames too_many"):
               (*REFUSED_ERRORS, "error too_many", "close 1008")},
    ),
    Scenario(
        "pings and pongs", "frames.ping", 400_000, _words("pong|close 1000|held back"),
        least=20_000,
    ),
    Scenario(
        "messages in tiny pieces", "frames.send_tiny_pieces", 400_000,
        _words("error bad_json|close 1000|close 1002|held back"), least=20_000,
    ),
    Scenario(
        "frames of 1 MiB", "frames.send_long_frames", 400,
        _words("error bad_frame|close 1000|held back"), least=20, most_megabytes=96,
    ),
    Scenario(
        "frames over the bound", "frames.send_too_long_frames", 600, _words("close 1009|cut"),
        most_megabytes=64, least=6,
    ),
    Scenario(
        "what RFC 6455 forbids", "frames.break_the_protocol", 1900,
        _words("close 1002|close 1007"), least=38,
    ),
    Scenario(
        "peers that talk and take nothing", "frames.never_read", 60, _words("cut|held back"),
        least=3, most_megabytes=64,
    ),
    Scenario(
        "mutated texts", "fuzz.mutate_texts", 10_000,
        frozenset({*REFUSED_ERRORS, "message"}), least=500,
        agree={("accepted",): ("message",), REFUSED_FRAMES: REFUSED_ERRORS},
    ),
    Scenario(
        "mutated frames", "fuzz.mutate_bytes", 5000,
        _words("accepted and answered|close|close 1000|close 1002|close 1007|close 1009|cut"),
    ),
    Scenario(
        "invalid session ids", "queries.name_invalid_sessions", 5000, _words("400"),
        agree={("refusals session_id",): ("400",)}, least=60,
    ),
    Scenario(
        "tokens that are none", "tokens.forge", 2520, _words("401|431"), least=252,
        agree={("refusals token", "refusals expired", "refusals no_ticket", "refusals no_token"):
               ("401",)},
    ),
    Scenario(
        "tokens of others", "tokens.use_for_others", 1400, _words("401|403"), least=140,
        due=_words("401|403"),
        agree={("refusals session", "refusals scope"): ("403",), ("refusals no_ticket",): ("401",)},
    ),
    Scenario(
        "tickets that nobody was given", "tokens.guess_tickets", 5000, _words("401"), least=16,
        agree={("refusals ticket", "refusals no_ticket"): ("401",)},
    ),
    Scenario(
        "tickets used again and elsewhere", "tokens.use_tickets_again", 1500,
        _words("200|101|403|401"), due=_words("200|101|403|401"), least=30,
        agree={("refusals ticket",): ("401",), ("refusals session",): ("403",)},
    ),
    Scenario(
        "foreign origins", "queries.play_origins", 1500, _words("403|101|200|204"), least=150,
        agree={("refusals origin",): ("403",)},
    ),
    Scenario(
        "tricks with queries", "queries.play_with_queries", 1500, _words("101|400|414"), least=30,
    ),
    Scenario(
        "tricks with headers and cookies", "queries.shadow_headers", 900, _words("200|401"),
        least=18, agree={("refusals token", "refusals no_token"): ("401",)},
    ),
    Scenario(
        "forged X-Forwarded-For", "queries.forge_addresses", 800, _words("101|429|431"), least=440,
        due=_words("101|429"), agree={("refusals address_tabs",): ("429",)},
    ),
    Scenario(
        "smuggled requests", "requests.smuggle", 1050, _words("400|401|422|200|cut"), least=21,
    ),
    Scenario(
        "trailers", "requests.send_trailers", 1000, _words("400|431|cut"), least=16,
    ),
    Scenario(
        "requests behind requests", "requests.pipeline_all_kinds", 1800,
        _words("200 401|401 200|422 200|422 422|400 cut|200 401 cut|401 cut|200 cut|cut"),
        due=_words("200 401|401 200|422 200|422 422|200 401 cut"), least=18,
    ),
    Scenario(
        "odd requests", "requests.ask_oddly", 1450,
        _words("200|400|401|404|405|417|422|cut"), least=29,
    ),
    Scenario(
        "odd bodies", "requests.bring_odd_bodies", 3400, _words("200|400|413|422"), least=340,
    ),
)  # fmt: skip
