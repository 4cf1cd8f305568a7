//! The OpenAPI 3.1 document, made of the rows of [`super::ENDPOINTS`] and of the types that are sent.

use super::problem::{KIND, Problem};
use super::{ENDPOINTS, Endpoint, Gives, ROOT, Shape, Verb, shape};
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
        .map(|name| json!({ "name": name, "in": "path", "required": true, "schema": { "type": kind(name) } }))
        .collect();
    parameters.extend(row.query.iter().map(|asked| {
        json!({ "name": asked.name, "in": "query", "description": asked.what.1, "schema": { "type": asked.kind } })
    }));
    if row.verb == Verb::Post {
        parameters.push(json!({ "name": "Idempotency-Key", "in": "header", "schema": { "type": "string", "minLength": 1, "maxLength": 128 } }));
    }
    let (media, given) = match row.gives {
        Gives::Json(given) => ("application/json", given),
        Gives::Stream(given) => ("text/event-stream", given),
    };
    let content = match row.gives {
        Gives::Json(_) => json!({ "schema": named(given, parts) }),
        Gives::Stream(_) => {
            named(given, parts);
            json!({ "schema": { "type": "string" } })
        }
    };
    let problem = named(shape::<Problem>(), parts);
    let mut operation = json!({
        "operationId": operation_id(row),
        "summary": row.does.1,
        "parameters": parameters,
        "responses": {
            "200": { "description": "It worked", "content": { media: content } },
            "default": { "description": "It did not", "content": { KIND: { "schema": problem } } },
        },
    });
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

fn kind(place: &str) -> &'static str {
    if place == "id" { "integer" } else { "string" }
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
