//! The pages of sign-in, accounts, proposals and audit, as routes.

mod newcomer;
mod proposal;

use super::audit::Kept;
use super::guard::{SECOND_FACTOR, SIGN_OUT};
use super::proposals::{Action, Proposals};
use super::store::{People, Trouble};
use super::{Account, Opened, Permission, Refused, Role, Session};
use crate::web::{self, Language, Origin};
use axum::extract::{Extension, Form, Path, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use axum::{Router, middleware};
use newcomer::{accept, invite, welcome};
use pages::people::{
    AccountView, AuditRow, AuditView, EverybodyView, PersonRow, SecondFactorView, SignInView,
};
use pages::{Lang, Place, Words};
use payment::Wall;
use proposal::{approve, proposal, proposals, refuse};
use serde::Deserialize;
use tokio::sync::Semaphore;

/// Passwords that are checked at once: each takes 19 MiB and a core.
static CHECKING: Semaphore = Semaphore::const_new(2);

/// Every page about people; each route stands behind the permission that it needs.
pub fn routes(people: &People) -> Router {
    let open = Router::new()
        .route("/login", get(login).post(sign_in))
        .route("/enter/{token}", get(enter))
        .route("/welcome/{token}", get(welcome).post(accept))
        .layer(middleware::from_fn(own_site));
    let own = Router::new()
        .route(SIGN_OUT, post(sign_out))
        .route("/account", get(account))
        .route("/account/password", post(password))
        .route(SECOND_FACTOR, get(second_factor).post(confirm));
    let everybody = Router::new().route("/console/people", get(everybody));
    let manage = Router::new()
        .route("/console/people", post(invite))
        .route("/console/people/{name}/access", post(access));
    let propose = Router::new().route("/console/people/{name}/role", post(propose_role));
    let read = Router::new()
        .route("/console/proposals", get(proposals))
        .route("/console/proposals/{id}", get(proposal))
        .route("/console/proposals/{id}/refuse", post(refuse));
    let approve = Router::new().route("/console/proposals/{id}/approve", post(approve));
    let audit = Router::new().route("/console/audit", get(audit));
    let behind = [
        (own, Permission::Own),
        (everybody, Permission::ReadPeople),
        (manage, Permission::ManagePeople),
        (propose, Permission::Propose),
        (read, Permission::ReadConsole),
        (approve, Permission::Approve),
        (audit, Permission::ReadAudit),
    ];
    behind.into_iter().fold(
        open.with_state(people.clone()),
        |all, (routes, permission)| {
            all.merge(people.guard(routes.with_state(people.clone()), permission))
        },
    )
}

/// Runs what waits for the disk or costs a core.
pub(crate) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(panicked) => std::panic::resume_unwind(panicked.into_panic()),
    }
}

/// A sign-in that another site's page sends is refused.
async fn own_site(
    Language(lang): Language,
    request: axum::extract::Request,
    next: middleware::Next,
) -> Response {
    if !request.method().is_safe() && web::origin(request.headers()) != Origin::Own {
        return forged(lang, request.uri().path(), StatusCode::FORBIDDEN);
    }
    next.run(request).await
}

#[derive(Deserialize)]
struct Next {
    #[serde(default)]
    next: String,
}

async fn login(Language(lang): Language, Query(Next { next }): Query<Next>) -> Html<String> {
    let view = SignInView {
        next: &next,
        refused: None,
    };
    Html(view.page(lang))
}

#[derive(Deserialize)]
struct SignIn {
    name: String,
    password: String,
    #[serde(default)]
    code: String,
    #[serde(default)]
    next: String,
}

async fn sign_in(
    State(people): State<People>,
    Language(lang): Language,
    headers: HeaderMap,
    Form(typed): Form<SignIn>,
) -> Response {
    let SignIn {
        name,
        password,
        code,
        next,
    } = typed;
    let store = people.clone();
    let before = web::cookie(&headers, people.cookie_name()).map(str::to_owned);
    let _one = CHECKING.acquire().await;
    let opened = blocking(move || {
        let opened = store.sign_in(name.trim(), &password, &code)?;
        // The session before ends with this one's beginning.
        if let Some(before) = before.and_then(|id| store.session(&id).ok().flatten()) {
            store.sign_out(&before)?;
        }
        Ok::<_, Refused>(opened)
    })
    .await;
    match opened {
        Ok(opened) => entered(&people, &opened, &next),
        Err(refused) => {
            let view = SignInView {
                next: &next,
                refused: Some(refused.words()),
            };
            (status(&refused), Html(view.page(lang))).into_response()
        }
    }
}

async fn enter(
    State(people): State<People>,
    Language(lang): Language,
    Path(token): Path<String>,
    Query(Next { next }): Query<Next>,
) -> Response {
    let store = people.clone();
    match blocking(move || store.enter(&token)).await {
        Ok(opened) => entered(&people, &opened, &next),
        Err(refused @ Refused::Trouble(_)) => trouble(lang, "/enter", &format!("{refused:?}")),
        Err(_) => spent(lang),
    }
}

/// Signed in: the cookie, and on to where they wanted.
fn entered(people: &People, opened: &Opened, next: &str) -> Response {
    let own =
        next.starts_with('/') && !next.starts_with("//") && !next.contains(['\\', '\r', '\n']);
    let home = match opened.person.role {
        Role::Merchant => "/merchant",
        Role::Auditor | Role::Operator | Role::Supervisor => "/console",
    };
    let cookie = [(header::SET_COOKIE, people.cookie(Some(&opened.id)))];
    (cookie, Redirect::to(if own { next } else { home })).into_response()
}

async fn sign_out(
    State(people): State<People>,
    Language(lang): Language,
    Extension(session): Extension<Session>,
) -> Response {
    let store = people.clone();
    match blocking(move || store.sign_out(&session)).await {
        Ok(()) => {
            let cookie = [(header::SET_COOKIE, people.cookie(None))];
            (cookie, Redirect::to("/login")).into_response()
        }
        Err(problem) => trouble(lang, SIGN_OUT, &problem.to_string()),
    }
}

async fn account(
    State(people): State<People>,
    Language(lang): Language,
    Extension(session): Extension<Session>,
) -> Response {
    shown_account(people, lang, session, None).await
}

async fn shown_account(
    people: People,
    lang: Lang,
    session: Session,
    told: Option<Words>,
) -> Response {
    let rows = match blocking(move || people.list()).await {
        Ok(rows) => rows,
        Err(problem) => return trouble(lang, "/account", &problem.to_string()),
    };
    let person = &session.person;
    let merchant = person.merchant.map(|merchant| merchant.to_string());
    let own = rows.iter().find(|row| row.person.name == person.name);
    let view = AccountView {
        name: &person.name,
        role: person.role.words(),
        merchant: merchant.as_deref(),
        second_factor: own.is_some_and(|own| own.second_factor),
        csrf: &session.csrf,
        told,
        places: &places(person.role),
    };
    let status = told.map_or(StatusCode::OK, |_| StatusCode::BAD_REQUEST);
    (status, Html(view.page(lang))).into_response()
}

#[derive(Deserialize)]
struct NewPassword {
    old: String,
    new: String,
    #[serde(default)]
    code: String,
}

/// The present password and a code are asked for again; every session ends and this one begins anew.
async fn password(
    State(people): State<People>,
    Language(lang): Language,
    Extension(session): Extension<Session>,
    Form(typed): Form<NewPassword>,
) -> Response {
    let (store, name) = (people.clone(), session.person.name.clone());
    let _one = CHECKING.acquire().await;
    let changed = blocking(move || {
        let opened = store.sign_in(&name, &typed.old, &typed.code)?;
        store.set_password(&name, &name, &typed.new)?;
        Ok::<_, Refused>(opened)
    })
    .await;
    match changed {
        Ok(_) => Redirect::to("/login").into_response(),
        Err(refused) => shown_account(people, lang, session, Some(refused.words())).await,
    }
}

async fn second_factor(
    State(people): State<People>,
    Language(lang): Language,
    Extension(session): Extension<Session>,
) -> Response {
    shown_factor(people, lang, session, None).await
}

async fn shown_factor(
    people: People,
    lang: Lang,
    session: Session,
    told: Option<Words>,
) -> Response {
    let name = session.person.name.clone();
    let begun = blocking(move || {
        let used = people
            .list()?
            .iter()
            .any(|row| row.person.name == name && row.second_factor);
        // One that is in use is never shown again.
        if used {
            Ok(None)
        } else {
            people.begin_factor(&name).map(Some)
        }
    })
    .await;
    match begun {
        Ok(Some(secret)) => {
            let view = SecondFactorView {
                name: &session.person.name,
                role: session.person.role.words(),
                csrf: &session.csrf,
                secret: &secret,
                told,
            };
            let status = told.map_or(StatusCode::OK, |_| StatusCode::BAD_REQUEST);
            (status, Html(view.page(lang))).into_response()
        }
        Ok(None) => Redirect::to("/account").into_response(),
        Err(problem) => trouble(lang, SECOND_FACTOR, &Trouble::to_string(&problem)),
    }
}

#[derive(Deserialize)]
struct Code {
    code: String,
}

async fn confirm(
    State(people): State<People>,
    Language(lang): Language,
    Extension(session): Extension<Session>,
    Form(Code { code }): Form<Code>,
) -> Response {
    let (store, name) = (people.clone(), session.person.name.clone());
    match blocking(move || store.confirm_factor(&name, &code)).await {
        Ok(opened) => entered(&people, &opened, ""),
        Err(refused) => shown_factor(people, lang, session, Some(refused.words())).await,
    }
}

async fn everybody(
    State(people): State<People>,
    Language(lang): Language,
    Extension(session): Extension<Session>,
) -> Response {
    shown_everybody(people, lang, session, None).await
}

async fn shown_everybody(
    people: People,
    lang: Lang,
    session: Session,
    told: Option<Words>,
) -> Response {
    let now = people.now().text();
    let rows = match blocking(move || people.list()).await {
        Ok(rows) => rows,
        Err(problem) => return trouble(lang, "/console/people", &problem.to_string()),
    };
    let rows: Vec<PersonRow> = rows.iter().map(row_of).collect();
    let named = |role: &Role| (role.name(), role.words());
    let staff = Role::ALL.iter().filter(|role| role.is_staff());
    let roles: Vec<(&str, Words)> = staff.map(named).collect();
    let all_roles: Vec<(&str, Words)> = Role::ALL.iter().map(named).collect();
    let role = session.person.role;
    let view = EverybodyView {
        rows: &rows,
        roles: &roles,
        all_roles: &all_roles,
        manages: role.may(Permission::ManagePeople),
        name: &session.person.name,
        role: role.words(),
        csrf: &session.csrf,
        told,
        places: &places(role),
        as_of: &now,
    };
    let status = told.map_or(StatusCode::OK, |_| StatusCode::BAD_REQUEST);
    (status, Html(view.page(lang))).into_response()
}

fn row_of(account: &Account) -> PersonRow {
    PersonRow {
        name: account.person.name.clone(),
        role_id: account.person.role.name(),
        role: account.person.role.words(),
        merchant: account.person.merchant.map(|merchant| merchant.to_string()),
        second_factor: account.second_factor,
        locked_until: account.locked_until_ms.map(|until| Wall(until).text()),
        disabled: account.disabled,
    }
}

#[derive(Deserialize)]
struct NewRole {
    from: Role,
    to: Role,
}

async fn propose_role(
    State(people): State<People>,
    Language(lang): Language,
    Extension(session): Extension<Session>,
    Path(name): Path<String>,
    Form(NewRole { from, to }): Form<NewRole>,
) -> Response {
    let (store, maker) = (people.clone(), session.person.clone());
    let action = Action::ChangeRole { name, from, to };
    match blocking(move || Proposals::new(store).propose(&maker, &action)).await {
        Ok(id) => Redirect::to(&format!("/console/proposals/{id}")).into_response(),
        Err(refusal) => shown_everybody(people, lang, session, Some(refusal.words())).await,
    }
}

/// A link that does not work any more, or never did.
fn spent(lang: Lang) -> Response {
    let title = ("链接已失效", "This link does not work any more");
    let why = (
        "入口链接只能用一次，并且很快过期。",
        "An entry link works once, and for a short while.",
    );
    let page = pages::people::refused(lang, "/login", title, why);
    (StatusCode::FORBIDDEN, Html(page)).into_response()
}

#[derive(Deserialize)]
struct Access {
    disabled: bool,
}

async fn access(
    State(people): State<People>,
    Language(lang): Language,
    Extension(session): Extension<Session>,
    Path(name): Path<String>,
    Form(Access { disabled }): Form<Access>,
) -> Response {
    let (store, by) = (people.clone(), session.person.name.clone());
    match blocking(move || store.disable(&by, &name, disabled)).await {
        Ok(()) => Redirect::to("/console/people").into_response(),
        Err(refused) => shown_everybody(people, lang, session, Some(refused.words())).await,
    }
}

#[derive(Deserialize)]
struct Below {
    below: Option<u64>,
}

async fn audit(
    State(people): State<People>,
    Language(lang): Language,
    Extension(session): Extension<Session>,
    Query(Below { below }): Query<Below>,
) -> Response {
    let now = people.now().text();
    let (kept, head) = match blocking(move || people.audit(below)).await {
        Ok(found) => found,
        Err(problem) => return trouble(lang, "/console/audit", &problem.to_string()),
    };
    let rows: Vec<AuditRow> = kept.iter().map(audit_row).collect();
    let view = AuditView {
        rows: &rows,
        head: &head.text(),
        older: kept.last().map(|last| last.seq).filter(|seq| *seq > 1),
        name: &session.person.name,
        role: session.person.role.words(),
        csrf: &session.csrf,
        places: &places(session.person.role),
        as_of: &now,
    };
    Html(view.page(lang)).into_response()
}

fn audit_row(kept: &Kept) -> AuditRow {
    AuditRow {
        seq: kept.seq,
        at: Wall(kept.at_ms).text(),
        who: kept.who.clone(),
        act: kept.act.clone(),
        object: kept.object.clone(),
        changed: kept.before.clone().zip(kept.after.clone()),
    }
}

/// Where somebody of this role can go from these pages.
pub(crate) fn places(role: Role) -> Vec<Place> {
    let home = match role {
        Role::Merchant => ("/merchant", ("商户", "Merchant"), Permission::ReadPortal),
        Role::Auditor | Role::Operator | Role::Supervisor => {
            ("/console", ("实时", "Live"), Permission::ReadConsole)
        }
    };
    [
        home,
        (
            "/console/people",
            ("人员", "People"),
            Permission::ReadPeople,
        ),
        (
            "/console/proposals",
            ("复核", "Proposals"),
            Permission::ReadConsole,
        ),
        (
            "/console/audit",
            ("审计记录", "Audit"),
            Permission::ReadAudit,
        ),
        (
            "/webhooks",
            ("事件通知", "Webhooks"),
            Permission::ReadWebhooks,
        ),
    ]
    .into_iter()
    .filter(|(.., permission)| role.may(*permission))
    .map(|(path, name, _)| Place {
        path: path.to_owned(),
        name,
        waiting: None,
    })
    .collect()
}

fn status(refused: &Refused) -> StatusCode {
    match refused {
        Refused::Trouble(problem) => {
            tracing::error!(%problem, "a sign-in could not be decided");
            StatusCode::SERVICE_UNAVAILABLE
        }
        _ => StatusCode::FORBIDDEN,
    }
}

/// The role does not allow it.
pub(super) fn forbidden(lang: Lang, path: &str) -> Response {
    let title = ("没有权限", "Not for your role");
    let why = (
        "您的角色不能看这一页。",
        "Your role does not show this page.",
    );
    let page = pages::people::refused(lang, path, title, why);
    (StatusCode::FORBIDDEN, Html(page)).into_response()
}

/// The request does not come from a page of ours.
pub(super) fn forged(lang: Lang, path: &str, status: StatusCode) -> Response {
    let title = ("没有执行", "Nothing was done");
    let why = (
        "这个请求不是从本站的页面发出的，或页面已过期。请重新打开页面再试。",
        "This request did not come from a page of this site, or the page is out of date. Open it again and try once more.",
    );
    let page = pages::people::refused(lang, path, title, why);
    (status, Html(page)).into_response()
}

fn missing(lang: Lang, path: &str) -> Response {
    let title = ("没有找到", "Not found");
    let why = ("这里没有您要找的内容。", "What you look for is not here.");
    let page = pages::people::refused(lang, path, title, why);
    (StatusCode::NOT_FOUND, Html(page)).into_response()
}

/// Something of ours failed: the log has it, the page does not.
pub(crate) fn trouble(lang: Lang, path: &str, problem: &str) -> Response {
    tracing::error!(problem, path, "a page could not be made");
    let title = ("暂时不能处理", "Not possible at the moment");
    let why = ("请稍后再试。", "Please try again later.");
    let page = pages::people::refused(lang, path, title, why);
    (StatusCode::SERVICE_UNAVAILABLE, Html(page)).into_response()
}
