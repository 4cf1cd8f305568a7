//! Remedies at the desk: what is chosen is judged by the acquirer in its turn, shown, and asked for by a form.
//!
//! Invariant: the acquirer decides. What a page showed is judged again when it is done, and only what is on disk is told.

use super::Desk;
use super::console::{Around, stopped};
use crate::driver::DriverHandle;
use crate::people::proposals::{Proposals, Refusal};
use crate::people::remedies::{Judged, Remedies, SALES_MAX};
use crate::people::{Permission, Person, Session, Trouble, blocking};
use crate::view;
use acquirer::{Acquirer, Input, SaleRecord};
use axum::Router;
use axum::extract::{Extension, Form, State};
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::post;
use pages::console::remedy::{self, Offered, Offers};
use payment::evidence::ReversalCause;
use payment::{Batch, Mandate, Now, Remedy, SaleKey, Stan, TerminalId, Unremedied};

/// The form that asks for a remedy; it stands behind the right to propose.
pub(super) fn routes(desk: &Desk) -> Router {
    let asks = Router::new()
        .route("/console/remedies", post(ask))
        .with_state(desk.clone());
    desk.people.guard(asks, Permission::Propose)
}

impl Remedies for DriverHandle<Acquirer> {
    fn judge(&self, sales: &[String], remedy: Remedy) -> Result<Vec<Judged>, Trouble> {
        let sales = sales.to_vec();
        let looked = self.look_blocking(move |acquirer, now| {
            let judge = |sale: &String| judged(acquirer, now, sale, remedy);
            sales.iter().map(judge).collect()
        });
        looked.map_err(trouble)
    }

    fn carry_out(
        &self,
        sale: &str,
        remedy: Remedy,
        mandate: &Mandate,
    ) -> Result<Result<(), Unremedied>, Trouble> {
        let cause = ReversalCause::Staff(mandate.proposal);
        let look = || {
            let sale = sale.to_owned();
            let looked = self.look_blocking(move |acquirer, now| {
                let found = found(acquirer, &sale).ok_or(Unremedied::Unknown)?;
                let reversal = found.evidence.reversal;
                if reversal.is_some_and(|reversal| reversal.cause == cause) {
                    return Ok(None);
                }
                let key = found.key();
                acquirer.may_remedy(now, &key, remedy).map(|()| Some(key))
            });
            looked.map_err(trouble)
        };
        let key = match look()? {
            Err(why) => return Ok(Err(why)),
            // A crash lay between the acquirer's word and ours.
            Ok(None) => return Ok(Ok(())),
            Ok(Some(key)) => key,
        };
        let mandate = Box::new(mandate.clone());
        let asked = self.send(Input::Remedy {
            key,
            remedy,
            mandate,
        });
        asked.map_err(trouble)?;
        // Only what is on disk can be looked at.
        Ok(match look()? {
            _ if !remedy.needs_approval() => Ok(()),
            Ok(None) => Ok(()),
            Ok(Some(_)) => Err(Unremedied::OnePerson),
            Err(why) => Err(why),
        })
    }
}

fn trouble(refused: crate::driver::Refused) -> Trouble {
    Trouble(refused.to_string())
}

fn judged(acquirer: &Acquirer, now: Now, sale: &str, remedy: Remedy) -> Judged {
    let found = found(acquirer, sale);
    let refused = found.map_or(Err(Unremedied::Unknown), |found| {
        acquirer.may_remedy(now, &found.key(), remedy)
    });
    Judged {
        sale: found.map_or(sale.to_owned(), |found| found.key().to_string()),
        amount: found.map(|found| found.request.amount),
        refused: refused.err(),
    }
}

/// By its key alone, so that many are found in one turn; as pages or as the API write it.
fn found<'a>(acquirer: &'a Acquirer, sale: &str) -> Option<&'a SaleRecord> {
    let mut parts = sale.rsplitn(3, ['/', '-']);
    let (stan, batch, terminal) = (parts.next()?, parts.next()?, parts.next()?);
    let terminal = TerminalId::parse(terminal.as_bytes())?;
    let key = SaleKey {
        terminal,
        merchant: acquirer.config().terminals.get(&terminal)?.merchant,
        batch: Batch(batch.parse().ok()?),
        stan: Stan(stan.parse().ok()?),
    };
    acquirer.state().sale(&key)
}

/// What can be done about these sales, for whoever reads.
pub(super) async fn offers(
    desk: &Desk,
    session: Option<&Session>,
    sales: &[String],
) -> Result<Offers, StatusCode> {
    let mut named: Vec<String> = sales.to_vec();
    named.sort();
    named.dedup();
    named.truncate(SALES_MAX);
    let count = named.len();
    let looked = desk.acquirer.look(move |acquirer, now| {
        let offered = |sale: &String| {
            let sale = found(acquirer, sale)?;
            let key = sale.key();
            let refused = |remedy| acquirer.may_remedy(now, &key, remedy).err();
            Some((sale.clone(), Remedy::ALL.map(refused), now.wall))
        };
        named.iter().filter_map(offered).collect::<Vec<_>>()
    });
    let found = looked.await.map_err(stopped)?;
    let rows: Vec<Offered> = found
        .into_iter()
        .map(|(sale, refused, now)| Offered {
            sale: view::of(&sale, now),
            merchant: desk.merchant(&sale.key().merchant),
            cause: super::hub::queued(&sale),
            refused: refused.map(|why| why.map(Unremedied::words)),
        })
        .collect();
    let may = session.filter(|session| session.person.role.may(Permission::Propose));
    Ok(Offers {
        unknown: count - rows.len(),
        rows,
        csrf: may.map(|session| session.csrf.clone()),
        told: None,
    })
}

async fn ask(
    State(desk): State<Desk>,
    around: Around,
    Extension(session): Extension<Session>,
    Form(pairs): Form<Vec<(String, String)>>,
) -> Result<Response, StatusCode> {
    let named = |wanted: &str| {
        let own = pairs.iter().filter(move |(name, _)| name == wanted);
        own.map(|(_, value)| value.clone()).collect::<Vec<_>>()
    };
    let one = |wanted: &str| named(wanted).into_iter().next().unwrap_or_default();
    let remedy = Remedy::named(&one("remedy")).ok_or(StatusCode::UNPROCESSABLE_ENTITY)?;
    let (sales, reason) = (named("sale"), one("reason"));
    match asked(&desk, session.person.clone(), remedy, sales.clone(), reason).await {
        Ok(id) => Ok(Redirect::to(&format!("/console/proposals/{id}")).into_response()),
        Err(refusal) => {
            let mut offers = offers(&desk, Some(&session), &sales).await?;
            offers.told = Some(refusal.words());
            let page = remedy::preview(around.asked(), &offers);
            Ok((StatusCode::CONFLICT, Html(page)).into_response())
        }
    }
}

/// Asks for a remedy; gives the number of its proposal.
pub(super) async fn asked(
    desk: &Desk,
    person: Person,
    remedy: Remedy,
    sales: Vec<String>,
    reason: String,
) -> Result<u64, Refusal> {
    let proposals = Proposals::new(desk.people.clone());
    blocking(move || proposals.remedy(&person, remedy, &sales, &reason)).await
}
