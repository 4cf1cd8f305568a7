//! Four eyes: what was shown is done once, by somebody else, or not at all (security reference, C24).

use super::{Desk, person};
use counterfoil::people::Role;
use counterfoil::people::proposals::{Action, Proposals, Refusal, State};

fn desk() -> (Desk, Proposals, Action) {
    let desk = Desk::staffed();
    let proposals = Proposals::new(desk.people.clone());
    let action = Action::ChangeRole {
        name: "chen".to_owned(),
        from: Role::Auditor,
        to: Role::Operator,
    };
    (desk, proposals, action)
}

fn role_of(desk: &Desk, name: &str) -> Role {
    let rows = desk.people.list().expect("people");
    rows.iter()
        .find(|row| row.person.name == name)
        .expect("they are there")
        .person
        .role
}

#[test]
fn somebody_else_approves_what_was_shown_and_it_is_done_once() {
    let (desk, proposals, action) = desk();
    let makers_session = desk.session(&desk.enter("zhao", Role::Supervisor));
    let checker = desk.session(&desk.enter("qian", Role::Supervisor));
    let operator = desk.session(&desk.enter("li", Role::Operator));
    let auditor_cookie = desk.enter("chen", Role::Auditor);
    let id = proposals
        .propose(&person("zhao", Role::Supervisor), &action)
        .expect("proposed");
    let shown = proposals
        .find(id)
        .expect("it reads")
        .expect("it is there")
        .shown;

    let own = proposals.approve(&makers_session, id, &shown);
    assert!(matches!(own, Err(Refusal::OwnProposal)), "{own:?}");
    let low = proposals.approve(&operator, id, &shown);
    assert!(matches!(low, Err(Refusal::Forbidden)), "{low:?}");
    assert_eq!(role_of(&desk, "chen"), Role::Auditor);

    let (done, twice): (Vec<_>, Vec<_>) = std::thread::scope(|scope| {
        let tries: Vec<_> = (0..4)
            .map(|_| scope.spawn(|| proposals.approve(&checker, id, &shown)))
            .collect();
        tries
            .into_iter()
            .map(|tried| tried.join().expect("it ends"))
            .partition(Result::is_ok)
    });
    assert_eq!((done.len(), twice.len()), (1, 3), "one effect");
    assert!(
        twice
            .iter()
            .all(|refused| matches!(refused, Err(Refusal::Closed)))
    );
    assert_eq!(role_of(&desk, "chen"), Role::Operator);
    assert_ne!(
        desk.get("/account", &auditor_cookie).status,
        200,
        "new rights, new session"
    );
    let (kept, _) = desk.people.audit(None).expect("the log");
    let acts: Vec<&str> = kept.iter().map(|kept| kept.act.as_str()).collect();
    assert_eq!(acts[..2], ["approved", "proposed"]);
}

#[test]
fn what_changed_after_it_was_shown_is_void() {
    let (desk, proposals, action) = desk();
    let checker = desk.session(&desk.enter("qian", Role::Supervisor));
    let disk = rusqlite::Connection::open(desk.data.path().join("people.db")).expect("it opens");
    let maker = person("li", Role::Operator);
    for (what, changes) in [
        (
            "the request",
            "UPDATE proposal SET act = replace(act, '\"to\":\"operator\"', '\"to\":\"supervisor\"') WHERE id = ?1",
        ),
        (
            "the preview",
            "UPDATE proposal SET preview_zh = 'x' WHERE id = ?1",
        ),
        (
            "the world",
            "UPDATE person SET role = 'supervisor' WHERE name = 'chen' AND ?1 > 0",
        ),
    ] {
        let id = proposals.propose(&maker, &action).expect("proposed");
        let shown = proposals
            .find(id)
            .expect("it reads")
            .expect("it is there")
            .shown;
        assert_eq!(
            disk.execute(changes, [id as i64]).expect("changed"),
            1,
            "{what}"
        );
        let before = role_of(&desk, "chen");
        let approved = proposals.approve(&checker, id, &shown);
        assert!(
            matches!(approved, Err(Refusal::Changed)),
            "{what}: {approved:?}"
        );
        let state = proposals
            .find(id)
            .expect("it reads")
            .expect("it is there")
            .state;
        assert_eq!(
            (state, role_of(&desk, "chen")),
            (State::Void, before),
            "{what}"
        );
    }
    let stale = proposals.propose(&maker, &action);
    assert!(matches!(stale, Err(Refusal::Changed)), "{stale:?}");
}

#[test]
fn a_checker_is_there_now() {
    let (desk, proposals, action) = desk();
    let maker = person("li", Role::Operator);
    let id = proposals.propose(&maker, &action).expect("proposed");
    let shown = proposals
        .find(id)
        .expect("it reads")
        .expect("it is there")
        .shown;
    let checker = desk.session(&desk.enter("qian", Role::Supervisor));
    desk.wait(counterfoil::people::FRESH_MS + 1);
    let stale = proposals.approve(&checker, id, &shown);
    assert!(matches!(stale, Err(Refusal::NotFresh)), "{stale:?}");

    let checker = desk.session(&desk.enter("qian", Role::Supervisor));
    let unseen = proposals.find(id + 1).expect("it reads");
    assert!(unseen.is_none());
    desk.people.disable("test", "qian", true).expect("done");
    let disabled = proposals.approve(&checker, id, &shown);
    assert!(matches!(disabled, Err(Refusal::Forbidden)), "{disabled:?}");
    assert_eq!(role_of(&desk, "chen"), Role::Auditor);

    // Its maker takes it back, and then nobody can approve it.
    let own = desk.session(&desk.enter("li", Role::Operator));
    proposals.refuse(&own, id).expect("taken back");
    let checker = desk.session(&desk.enter("zhao", Role::Supervisor));
    let closed = proposals.approve(&checker, id, &shown);
    assert!(matches!(closed, Err(Refusal::Closed)), "{closed:?}");
}

#[test]
fn the_pages_lead_through_it() {
    let (desk, ..) = desk();
    let (maker, checker) = (
        desk.enter("li", Role::Operator),
        desk.enter("zhao", Role::Supervisor),
    );
    let form = format!("csrf={}&from=auditor&to=operator", desk.csrf(&maker));
    let made = desk.post("/console/people/chen/role", &maker, &form);
    assert_eq!(
        (made.status, made.header("location")),
        (303, "/console/proposals/1")
    );
    let page = desk.get("/console/proposals/1", &checker).body;
    assert!(
        page.contains("chen 的角色：审计 → 运营") && page.contains("批准并执行"),
        "{page}"
    );
    assert!(
        !desk
            .get("/console/proposals/1", &maker)
            .body
            .contains("批准并执行")
    );
    let shown = page
        .split_once(r#"name="shown" value=""#)
        .expect("the hash")
        .1;
    let shown = shown.split('"').next().expect("its end");
    let csrf = desk.csrf(&checker);
    let approve = |shown: &str| {
        desk.post(
            "/console/proposals/1/approve",
            &checker,
            &format!("csrf={csrf}&shown={shown}"),
        )
    };
    assert_eq!(approve(shown).status, 303);
    assert_eq!(approve(shown).status, 409);
    assert_eq!(role_of(&desk, "chen"), Role::Operator);
    assert!(
        desk.get("/console/proposals", &maker)
            .body
            .contains("已执行")
    );
}

#[test]
fn two_supervisors_make_an_account_and_its_owner_opens_it() {
    let (desk, proposals, _) = desk();
    let (zhao, qian) = (
        desk.enter("zhao", Role::Supervisor),
        desk.enter("qian", Role::Supervisor),
    );
    let invite = |name: &str, role: &str, merchant: &str| {
        let csrf = desk.csrf(&zhao);
        let form = format!("csrf={csrf}&name={name}&role={role}&merchant={merchant}");
        desk.post("/console/people", &zhao, &form)
    };
    for (name, role, merchant) in [
        ("zhou+wu", "operator", ""),
        ("li", "operator", ""),
        ("wu", "merchant", ""),
        ("wu", "operator", super::MERCHANT),
        ("wu", "merchant", "1"),
    ] {
        let status = invite(name, role, merchant).status;
        assert_eq!(status, 400, "{name} {role} {merchant}");
    }
    let place = invite("wu", "operator", "").header("location").to_owned();
    let id = place.rsplit('/').next().and_then(|id| id.parse().ok());
    let id: u64 = id.expect("a number");
    let shown = proposals
        .find(id)
        .expect("it reads")
        .expect("it is there")
        .shown;
    let named =
        |rows: Vec<counterfoil::people::Account>| rows.iter().any(|row| row.person.name == "wu");
    assert!(!named(desk.people.list().expect("people")), "nobody yet");
    let operator = proposals.propose(
        &person("li", Role::Operator),
        &Action::Invite {
            name: "mine".to_owned(),
            role: Role::Supervisor,
            merchant: None,
        },
    );
    assert!(matches!(operator, Err(Refusal::Forbidden)), "{operator:?}");
    let own = proposals.approve(&desk.session(&zhao), id, &shown);
    assert!(matches!(own, Err(Refusal::OwnProposal)), "{own:?}");
    let approved = proposals.approve(&desk.session(&qian), id, &shown);
    assert!(approved.is_ok(), "{approved:?}");
    assert!(named(desk.people.list().expect("people")));

    // Only who approved sees the link; it opens once, and soon.
    let link = |cookie: &str| {
        let page = desk.get(&place, cookie).body;
        let rest = page
            .split_once("/welcome/")
            .map(|(_, rest)| rest.to_owned());
        rest.map(|rest| format!("/welcome/{}", &rest[..32]))
    };
    assert_eq!(link(&zhao), None);
    let link = link(&qian).expect("a link");
    assert!(desk.get(&link, "").body.contains("wu"));
    let sets = |password: &str| desk.post(&link, "", &format!("password={password}")).status;
    assert_eq!(sets("short"), 400);
    assert_eq!(desk.sign_in("wu", "correct+horse+battery", "").status, 403);
    assert_eq!(sets("correct+horse+battery"), 303);
    assert_eq!(sets("another+horse+battery"), 403, "it works once");
    assert_eq!(desk.get(&link, "").status, 403);
    assert_eq!(desk.sign_in("wu", "correct+horse+battery", "").status, 303);
    let again = invite("late", "auditor", "").header("location").to_owned();
    let id: u64 = again
        .rsplit('/')
        .next()
        .and_then(|id| id.parse().ok())
        .expect("a number");
    let shown = proposals
        .find(id)
        .expect("it reads")
        .expect("it is there")
        .shown;
    let approved = proposals.approve(&desk.session(&qian), id, &shown);
    assert!(approved.is_ok(), "{approved:?}");
    let page = desk.get(&again, &qian).body;
    let late = page.split_once("/welcome/").expect("a link").1[..32].to_owned();
    desk.wait(counterfoil::people::INVITED_MS + 1);
    assert_eq!(desk.get(&format!("/welcome/{late}"), "").status, 403);
    let (kept, _) = desk.people.audit(None).expect("the log");
    let acts: Vec<&str> = kept.iter().map(|kept| kept.act.as_str()).collect();
    assert!(acts.contains(&"person.accepted"), "{acts:?}");
}
