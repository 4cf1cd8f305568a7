//! Spans and their names: an id is a hash of what it stands for, so that every party makes the same one by itself.

use crate::archive::Role;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{AnyValue, InstrumentationScope, KeyValue, any_value};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::{
    self as otlp, ResourceSpans, ScopeSpans, span, status,
};
use payment::Wall;
use prost::Message;
use sha2::{Digest, Sha256};

/// One loop.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct TraceId(pub(super) [u8; 16]);

/// One hop of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct SpanId(pub(super) [u8; 8]);

impl TraceId {
    /// The loop of these words.
    pub(super) fn of(words: &[&str]) -> Self {
        Self(hashed("loop", words))
    }

    /// The hop of this loop by these words.
    pub(super) fn hop(self, words: &[&str]) -> SpanId {
        let [loop_id, hop] = [self.0, hashed("hop", words)];
        let mut hash = Sha256::new();
        hash.update(loop_id);
        hash.update(hop);
        let hash: [u8; 32] = hash.finalize().into();
        let mut id = [0; 8];
        id.copy_from_slice(&hash[..8]);
        SpanId(id)
    }
}

fn hashed(what: &str, words: &[&str]) -> [u8; 16] {
    let mut hash = Sha256::new();
    hash.update(format!("counterfoil {what}"));
    for word in words {
        hash.update([0]);
        hash.update(word);
    }
    let hash: [u8; 32] = hash.finalize().into();
    let mut id = [0; 16];
    id.copy_from_slice(&hash[..16]);
    id
}

/// A finished hop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) trace: TraceId,
    pub(super) id: SpanId,
    pub(super) parent: Option<SpanId>,
    /// Party and what it did, for instance `network purchase`.
    pub(super) name: String,
    /// The party was asked; else it asked.
    pub(super) asked: bool,
    pub(super) start: Wall,
    pub(super) end: Wall,
    /// Name of the transaction's kind.
    pub(super) kind: Option<String>,
    /// Field 39 of the answer; none when there was no answer.
    pub(super) code: Option<String>,
    /// Field 41.
    pub(super) terminal: String,
    /// Field 37.
    pub(super) rrn: Option<String>,
}

/// What is posted to the collector.
pub(super) fn request(role: Role, spans: &[Span]) -> Vec<u8> {
    let resource = Resource {
        attributes: vec![
            text("service.namespace", "counterfoil"),
            text("service.name", role.name()),
            text("service.version", env!("CARGO_PKG_VERSION")),
        ],
        ..Resource::default()
    };
    let scope = InstrumentationScope {
        name: "counterfoil".to_owned(),
        ..InstrumentationScope::default()
    };
    let spans = ScopeSpans {
        scope: Some(scope),
        spans: spans.iter().map(told).collect(),
        ..ScopeSpans::default()
    };
    let spans = ResourceSpans {
        resource: Some(resource),
        scope_spans: vec![spans],
        ..ResourceSpans::default()
    };
    ExportTraceServiceRequest {
        resource_spans: vec![spans],
    }
    .encode_to_vec()
}

fn told(span: &Span) -> otlp::Span {
    let optional = |name, value: &Option<String>| value.as_ref().map(|value| text(name, value));
    let attributes = [
        optional("payment.kind", &span.kind),
        optional("payment.response_code", &span.code),
        optional("payment.rrn", &span.rrn),
        Some(text("payment.terminal", &span.terminal)),
    ];
    let (code, message) = match span.code {
        Some(_) => (status::StatusCode::Unset, ""),
        None => (status::StatusCode::Error, "no answer"),
    };
    let status = otlp::Status {
        code: code as i32,
        message: message.to_owned(),
    };
    let kind = match span.asked {
        true => span::SpanKind::Server,
        false => span::SpanKind::Client,
    };
    otlp::Span {
        trace_id: span.trace.0.to_vec(),
        span_id: span.id.0.to_vec(),
        parent_span_id: span.parent.map_or(Vec::new(), |parent| parent.0.to_vec()),
        name: span.name.clone(),
        kind: kind as i32,
        start_time_unix_nano: nanoseconds(span.start),
        end_time_unix_nano: nanoseconds(span.end),
        attributes: attributes.into_iter().flatten().collect(),
        status: Some(status),
        ..otlp::Span::default()
    }
}

fn nanoseconds(at: Wall) -> u64 {
    u64::try_from(at.0).unwrap_or(0).saturating_mul(1_000_000)
}

fn text(name: &str, value: &str) -> KeyValue {
    KeyValue {
        key: name.to_owned(),
        value: Some(AnyValue {
            value: Some(any_value::Value::StringValue(value.to_owned())),
        }),
        ..KeyValue::default()
    }
}
