"""FHIR R4 data for the clinical assistant: synthetic patients, a read-only store, an MCP server."""
