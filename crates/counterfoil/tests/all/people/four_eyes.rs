//! Four eyes: what was shown is done once, by somebody else, or not at all (security reference, C24).

use super::{Desk, person};
use counterfoil::people::Role;
use counterfoil::people::proposals::{Action, Proposals, Refusal, State};

fn desk() -> (Desk, Proposals, Action) {
    let desk = Desk::open();
    for (name, role) in [
        ("li", Role::Operator),
        ("chen", Role::Auditor),
        ("zhao", Role::Supervisor),
        ("qian", Role::Supervisor),
    ] {
        desk.enter(name, role);
    }
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
