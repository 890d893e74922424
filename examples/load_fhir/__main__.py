"""Loads synthetic patients into a FHIR R4 server, such as Aidbox or HAPI.

    python -m examples.load_fhir http://localhost:8080/fhir

They are those of the embedded FHIR server. Each patient goes in one transaction with everything
that is theirs, written by `PUT` under the ids that the bundle gives: loading twice, or again after
an error, leaves the same resources.
"""

import argparse
import os
import sys
from collections.abc import Iterator
from typing import Any, cast

import httpx2 as httpx

from agent_worker.fhir.synthesis import build_bundle

Resource = dict[str, Any]
FHIR_JSON = "application/fhir+json"
LONGEST_TOLD = 300
"""Characters of what a server says about an error."""
CREATED = "201"


class LoadError(Exception):
    """Why the patients could not be loaded, as a sentence."""


def load(client: httpx.Client, parcels: list[Resource]) -> None:
    """Send each parcel, and tell how far it has come. Raises `LoadError`."""
    total = sum(len(parcel["entry"]) for parcel in parcels)
    sent = created = 0
    for number, parcel in enumerate(parcels, 1):
        statuses = send(client, parcel)
        sent += len(statuses)
        created += sum(status.startswith(CREATED) for status in statuses)
        progress = f"{number} of {len(parcels)} patients, {sent} of {total} resources"
        is_overwritten = sys.stderr.isatty() and number < len(parcels)
        print(progress, end="\r" if is_overwritten else "\n", file=sys.stderr, flush=True)
    print(f"{len(parcels)} patients, {total} resources: {created} new, {sent - created} replaced")


def build_parcels(bundle: Resource, kind: str) -> Iterator[Resource]:
    """One bundle of type `kind` for each patient, with what is theirs, in the bundle's order. What
    a resource refers to is in the same parcel. Pure."""
    entries: dict[str, list[Resource]] = {}
    for resource in (entry["resource"] for entry in bundle["entry"]):
        address = f"{resource['resourceType']}/{resource['id']}"
        patient = resource.get("subject") or resource.get("patient") or {"reference": address}
        entry = {"resource": resource, "request": {"method": "PUT", "url": address}}
        entries.setdefault(patient["reference"], []).append(entry)
    for parcel in entries.values():
        yield {"resourceType": "Bundle", "type": kind, "entry": parcel}


def send(client: httpx.Client, parcel: Resource) -> list[str]:
    """Write the parcel; the status of each of its entries. Raises `LoadError` when one of them was
    not written."""
    answer = ask(client, "POST", "", json=parcel)
    responses = [entry.get("response", {}) for entry in answer.get("entry", [])]
    statuses = [str(response.get("status", "")) for response in responses]
    if len(statuses) != len(parcel["entry"]):
        raise LoadError(f"The server answered for {len(statuses)} of {len(parcel['entry'])}.")
    for entry, status, response in zip(parcel["entry"], statuses, responses, strict=True):
        if not status.startswith("2"):
            url = entry["request"]["url"]
            raise LoadError(f"{url} was refused with {status}{told(response.get('outcome'))}.")
    return statuses


def check_server(client: httpx.Client) -> None:
    """That it is a FHIR R4 server. Raises `LoadError`."""
    version = str(ask(client, "GET", "/metadata").get("fhirVersion"))
    if not version.startswith("4.0"):
        raise LoadError(f"{client.base_url} serves FHIR {version}; the patients are R4.")


def ask(client: httpx.Client, method: str, path: str, **options: Any) -> Resource:
    """What the server answers, as JSON. Raises `LoadError`."""
    base = str(client.base_url).rstrip("/")
    try:
        answer = client.request(method, base + path, **options)
    except httpx.HTTPError as error:
        kind = type(error).__name__
        raise LoadError(f"{base} does not answer: {kind}: {error}") from error
    content = content_of(answer)
    if answer.is_success and content is not None:
        return content
    hint = {
        401: "; set FHIR_TOKEN, or FHIR_CLIENT_ID and FHIR_CLIENT_SECRET",
        403: "; whoever signs in there may not write",
        404: "; the base of a FHIR server often ends in /fhir",
    }.get(answer.status_code, "" if content is not None else "; that is no FHIR")
    raise LoadError(f"{base} answers {method} with {answer.status_code}{told(content)}{hint}.")


def content_of(answer: httpx.Response) -> Resource | None:
    """The resource in an answer."""
    try:
        content: object = answer.json()
    except ValueError:
        return None
    return cast(Resource, content) if isinstance(content, dict) else None


def told(outcome: Resource | None) -> str:
    """What an `OperationOutcome` says, in one line."""
    issues: list[Resource] = (outcome or {}).get("issue") or [{}]
    details: Resource = issues[0].get("details") or {}
    text = str(issues[0].get("diagnostics") or details.get("text") or "")
    return f": {' '.join(text.split())[:LONGEST_TOLD]}" if text else ""


def build_client(base_url: str, timeout_seconds: float) -> httpx.Client:
    """A client for the server, with the credentials of the environment: a command line can be read
    by everybody on the machine."""
    headers = {"Accept": FHIR_JSON, "Content-Type": FHIR_JSON}
    token, user = os.environ.get("FHIR_TOKEN"), os.environ.get("FHIR_CLIENT_ID")
    if token:
        headers["Authorization"] = f"Bearer {token}"
    basic = (user, os.environ.get("FHIR_CLIENT_SECRET", "")) if user and not token else None
    return httpx.Client(base_url=base_url, headers=headers, auth=basic, timeout=timeout_seconds)


def main() -> int:
    """Load what the command line asks for; returns the exit status."""
    parser = argparse.ArgumentParser("python -m examples.load_fhir", description="Load patients.")
    parser.add_argument("base_url", help="the FHIR R4 server: http://HOST/fhir")
    parser.add_argument("--seed", type=int, default=1, help="which patients (default 1)")
    parser.add_argument("--patients", type=int, default=60, help="at least so many (default 60)")
    parser.add_argument("--timeout", type=float, default=30.0, help="seconds (default 30)")
    parser.add_argument("--batch", action="store_true", help="for a server without transactions")
    arguments = parser.parse_args()
    kind = "batch" if arguments.batch else "transaction"
    try:
        parcels = list(build_parcels(build_bundle(arguments.seed, arguments.patients), kind))
        with build_client(arguments.base_url, arguments.timeout) as client:
            check_server(client)
            load(client, parcels)
    except (LoadError, ValueError, httpx.InvalidURL) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
