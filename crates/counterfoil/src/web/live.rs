//! Live pages as server-sent events: each follower is sent the parts that changed for it, as `{id: inner HTML}`.
//!
//! Invariant: there are no more followers than places, and none is sent again what it has.

use axum::http::StatusCode;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The parts of a page that change, by the id of their element.
pub type Parts = BTreeMap<&'static str, Arc<str>>;

/// What keeps one page live.
pub trait Source: Send + 'static {
    /// Waits until there may be news, and says what the page shows then; none when there will be no more.
    fn next(&mut self) -> impl Future<Output = Option<Parts>> + Send;
}

/// The stream of one follower; where every place is taken it is told so, and its browser asks again.
pub fn follow(places: &Arc<Semaphore>, source: impl Source) -> Response {
    let Ok(place) = Arc::clone(places).try_acquire_owned() else {
        return StatusCode::TOO_MANY_REQUESTS.into_response();
    };
    let follower = Follower {
        source,
        sent: Parts::new(),
        _place: place,
    };
    let events = stream::unfold(follower, |mut follower| async move {
        let event = follower.next().await?;
        Some((Ok::<_, Infallible>(event), follower))
    });
    Sse::new(events)
        .keep_alive(KeepAlive::default())
        .into_response()
}

struct Follower<S> {
    source: S,
    sent: Parts,
    _place: OwnedSemaphorePermit,
}

impl<S: Source> Follower<S> {
    async fn next(&mut self) -> Option<Event> {
        loop {
            let mut changed = self.source.next().await?;
            changed.retain(|id, html| self.sent.get(id) != Some(html));
            if changed.is_empty() {
                continue;
            }
            let told: BTreeMap<&str, &str> =
                changed.iter().map(|(id, html)| (*id, &**html)).collect();
            let event = Event::default().json_data(&told).ok();
            self.sent.append(&mut changed);
            return event;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::to_bytes;
    use std::collections::VecDeque;

    struct Said(VecDeque<Parts>);

    impl Source for Said {
        async fn next(&mut self) -> Option<Parts> {
            self.0.pop_front()
        }
    }

    fn parts(pairs: &[(&'static str, &str)]) -> Parts {
        pairs
            .iter()
            .map(|(id, html)| (*id, (*html).into()))
            .collect()
    }

    #[tokio::test]
    async fn a_follower_is_sent_what_changed_and_needs_a_place() {
        let said = || {
            Said(VecDeque::from([
                parts(&[("a", "1"), ("b", "1")]),
                parts(&[("a", "1"), ("b", "1")]),
                parts(&[("a", "1"), ("b", "2")]),
            ]))
        };
        let places = Arc::new(Semaphore::new(1));
        let first = follow(&places, said());
        assert_eq!(
            follow(&places, said()).status(),
            StatusCode::TOO_MANY_REQUESTS
        );
        let body = to_bytes(first.into_body(), 1_000).await.expect("it ends");
        assert_eq!(
            body,
            "data: {\"a\":\"1\",\"b\":\"1\"}\n\ndata: {\"b\":\"2\"}\n\n"
        );
        assert_eq!(follow(&places, said()).status(), StatusCode::OK);
    }
}
