//! The OpenAPI 3.1 document, made of the rows of [`super::ENDPOINTS`] and of the types that are sent.

use super::problem::{KIND, Problem};
use super::{ENDPOINTS, Endpoint, Gives, ROOT, Shape, Takes, Verb, shape};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use utoipa::openapi::{RefOr, Schema};

/// The document.
pub fn document() -> Value {
    let mut parts = BTreeMap::new();
    let mut paths: BTreeMap<String, Map<String, Value>> = BTreeMap::new();
    for row in ENDPOINTS {
        let path = paths.entry(format!("{ROOT}{}", row.path)).or_default();
        let verb = row.verb.name().to_lowercase();
        path.insert(verb, operation(row, &mut parts));
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Counterfoil",
            "version": "1",
            "description": "What the pages do, for programs. Amounts are integers in minor units; times are RFC 3339; every error is \
                problem+json. POST takes an Idempotency-Key: the same key and body give the same answer, and a key whose request \
                did nothing is free again.",
            "license": { "name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0" },
        },
        "security": [{ "key": [] }],
        "paths": paths,
        "components": {
            "securitySchemes": { "key": { "type": "http", "scheme": "bearer", "description": "An API key, cfk_…" } },
            "schemas": parts,
        },
    })
}

fn operation(row: &Endpoint, parts: &mut BTreeMap<String, Value>) -> Value {
    let mut parameters: Vec<Value> = places(row.path)
        .map(|name| json!({ "name": name, "in": "path", "required": true, "schema": placed(name).schema() }))
        .collect();
    parameters.extend(row.query.iter().map(|asked| {
        json!({ "name": asked.name, "in": "query", "description": asked.what.1, "schema": asked.takes.schema() })
    }));
    if row.verb == Verb::Post {
        parameters.push(json!({ "name": "Idempotency-Key", "in": "header", "schema": { "type": "string", "pattern": "^[!-~]{1,128}$" } }));
    }
    let (media, given) = match row.gives {
        Gives::Json(given) => ("application/json", given),
        Gives::Stream(given) => ("text/event-stream", given),
    };
    let content = match row.gives {
        Gives::Json(_) => json!({ "schema": named(given, parts) }),
        // One event; its data is text that holds JSON.
        Gives::Stream(_) => json!({ "schema": {
            "type": "object",
            "required": ["id", "event", "data"],
            "properties": {
                "id": { "type": "string" },
                "event": { "type": "string" },
                "data": {
                    "type": "string",
                    "contentMediaType": "application/json",
                    "contentSchema": named(given, parts),
                },
            },
        } }),
    };
    let problem = named(shape::<Problem>(), parts);
    let mut operation = json!({
        "operationId": operation_id(row),
        "summary": row.does.1,
        "parameters": parameters,
        "responses": { "200": { "description": "It worked", "content": { media: content } } },
    });
    for (status, description) in refusals(row) {
        let mut refusal =
            json!({ "description": description, "content": { KIND: { "schema": problem } } });
        if status == "429" {
            refusal["headers"] = json!({ "Retry-After": {
                "description": "Seconds to wait", "required": true, "schema": { "type": "integer", "minimum": 1 }
            } });
        }
        operation["responses"][status] = refusal;
    }
    if let Some(body) = row.body {
        let schema = named(body, parts);
        operation["requestBody"] =
            json!({ "required": true, "content": { "application/json": { "schema": schema } } });
    }
    operation
}

/// Names in braces.
fn places(path: &str) -> impl Iterator<Item = &str> {
    path.split('/')
        .filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
}

fn placed(place: &str) -> Takes {
    if place == "id" {
        Takes::ID
    } else {
        Takes::Text
    }
}

/// The statuses of [`Problem`] that an endpoint may answer with.
fn refusals(row: &Endpoint) -> impl Iterator<Item = (&'static str, &'static str)> {
    let (posts, asks) = (row.verb == Verb::Post, !row.query.is_empty());
    let placed = places(row.path).next().is_some();
    [
        ("400", "It could not be read", posts || asks || placed),
        ("401", "No valid key", true),
        ("403", "The role does not allow it", true),
        ("404", "It does not exist, or is another merchant's", true),
        ("409", "Things stand otherwise than it supposes", posts),
        ("413", "Its body is too large", true),
        ("415", "Its body is not JSON", row.body.is_some()),
        ("422", "It makes no sense", posts || asks),
        ("429", "The key asked too often", true),
        ("503", "Not possible at the moment", true),
    ]
    .into_iter()
    .filter_map(|(status, words, may)| may.then_some((status, words)))
}

fn operation_id(row: &Endpoint) -> String {
    let words = row.path.split(['/', '-']).filter(|part| !part.is_empty());
    let words = words.map(|part| part.trim_matches(['{', '}']));
    let words: Vec<&str> = words.collect();
    format!("{}_{}", row.verb.name().to_lowercase(), words.join("_"))
}

/// A reference to a type, whose description is added to the parts with all that it is made of.
fn named(shape: Shape, parts: &mut BTreeMap<String, Value>) -> Value {
    let name = (shape.name)().into_owned();
    let mut found: Vec<(String, RefOr<Schema>)> = vec![(name.clone(), (shape.schema)())];
    (shape.parts)(&mut found);
    for (name, schema) in found {
        // A description of a type of ours always becomes JSON.
        parts.insert(name, serde_json::to_value(schema).unwrap_or_default());
    }
    json!({ "$ref": format!("#/components/schemas/{name}") })
}
