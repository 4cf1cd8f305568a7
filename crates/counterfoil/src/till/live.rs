//! Keeps a shown page live: the parts that changed, as HTML made here, pushed at once when the terminal shows something
//! and looked at again several times a second.

use super::visitor::Visitor;
use super::{Asked, Page, Shared, trace};
use crate::web::Language;
use crate::web::live::{self, Parts, Source};
use axum::extract::{Query, State};
use axum::http::HeaderMap;
use axum::response::Response;
use pages::Lang;
use pages::till::{Door, parts};
use payment::Stan;
use std::sync::Arc;
use std::time::Duration;

/// The page is never older than this while its stream is open.
const LOOKS: Duration = Duration::from_millis(200);

/// One screen that follows the till.
struct Screen {
    page: Arc<Page>,
    lang: Lang,
    door: Door,
    picked: Option<Stan>,
    screens: super::Screens,
    looked: bool,
}

pub(super) async fn events(
    State(page): State<Shared>,
    Language(lang): Language,
    Query(asked): Asked,
    headers: HeaderMap,
) -> Response {
    let once = asked
        .get("once")
        .filter(|once| super::orders::is_name(once));
    let door = page.door(&Visitor::of(&headers), once.cloned().unwrap_or_default());
    let screen = Screen {
        screens: page.screens.clone(),
        page: Arc::clone(&page),
        lang,
        door,
        picked: trace(&asked),
        looked: false,
    };
    live::follow(&page.followers, screen)
}

impl Source for Screen {
    async fn next(&mut self) -> Option<Parts> {
        if std::mem::replace(&mut self.looked, true) {
            tokio::select! {
                () = self.screens.changed() => {}
                () = tokio::time::sleep(LOOKS) => {}
            }
        }
        let view = self.page.view(self.picked, None).await.ok()?;
        let parts = parts(self.lang, &view, &self.door).into_iter();
        Some(parts.map(|(id, html)| (id, html.into())).collect())
    }
}
