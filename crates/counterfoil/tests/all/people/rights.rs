//! Rights: which role sees which page, and that a request is the visitor's own wish.

use super::Desk;
use counterfoil::people::Role;
use ureq::http::Method;

/// Every page behind the sign-in with the roles that may see it: auditor, merchant, operator, supervisor by first letter.
const PAGES: &[(&str, &str)] = &[
    ("/account", "amos"),
    ("/console", "aos"),
    ("/console/people", "as"),
    ("/console/proposals", "aos"),
    ("/console/proposals/999", "aos"),
    ("/console/audit", "as"),
    ("/merchant", "m"),
    ("/money", "os"),
];

/// Every form behind the sign-in.
const FORMS: &[(&str, &str, &str)] = &[
    (
        "/console/people/nobody/role",
        "from=operator&to=auditor",
        "os",
    ),
    ("/console/people/nobody/access", "disabled=true", "s"),
    ("/console/people", "name=a%20b&role=operator", "s"),
    ("/console/proposals/999/approve", "shown=00", "s"),
    ("/console/proposals/999/refuse", "", "aos"),
    ("/money", "", "os"),
];

#[test]
fn only_listed_cells_are_open() {
    let desk = Desk::open();
    for role in Role::ALL {
        let cookie = desk.enter(role.name(), role);
        let csrf = desk.csrf(&cookie);
        let letter = &role.name()[..1];
        for (path, may) in PAGES {
            let status = desk.get(path, &cookie).status;
            assert_eq!(
                status == 403,
                !may.contains(letter),
                "{role:?} GET {path}: {status}"
            );
        }
        for (path, form, may) in FORMS {
            let status = desk
                .post(path, &cookie, &format!("csrf={csrf}&{form}"))
                .status;
            assert_eq!(
                status == 403,
                !may.contains(letter),
                "{role:?} POST {path}: {status}"
            );
        }
    }
    for (path, _) in PAGES {
        let answer = desk.get(path, "");
        assert!(answer.header("location").starts_with("/login"), "{path}");
        let forged = desk.get(path, "session=00000000000000000000000000000000");
        assert!(forged.header("location").starts_with("/login"), "{path}");
    }
}

#[test]
fn a_request_that_changes_something_is_the_visitors_own_wish() {
    let desk = Desk::open();
    let cookie = desk.enter("li", Role::Operator);
    let csrf = desk.csrf(&cookie);
    let host = desk.at.to_string();
    let own = format!("http://{host}");
    let (right, wrong) = (csrf.as_str(), "00000000000000000000000000000000");
    for (site, origin, token, expected) in [
        ("same-origin", "", right, 200),
        ("same-origin", "null", right, 200),
        ("", own.as_str(), right, 200),
        ("cross-site", "", right, 403),
        ("same-site", "", right, 403),
        ("none", "", right, 403),
        ("cross-site", own.as_str(), right, 403),
        ("", "http://evil.example", right, 403),
        ("", "null", right, 403),
        ("", "", right, 403),
        ("same-origin", "", "", 403),
        ("same-origin", "", wrong, 403),
    ] {
        let headers = [
            ("cookie", cookie.as_str()),
            ("content-type", "application/x-www-form-urlencoded"),
            ("sec-fetch-site", site),
            ("origin", origin),
        ];
        let answer = desk.ask(
            Method::POST,
            "/money",
            &headers,
            &format!("a=b&csrf={token}"),
        );
        assert_eq!(answer.status, expected, "{site:?} {origin:?} {token:?}");
    }
    let headers = [
        ("cookie", cookie.as_str()),
        ("sec-fetch-site", "same-origin"),
        ("x-csrf-token", right),
    ];
    assert_eq!(desk.ask(Method::POST, "/money", &headers, "{}").status, 200);
    let large = format!("csrf={right}&a={}", "x".repeat(70_000));
    assert_eq!(desk.post("/money", &cookie, &large).status, 413);
}

#[test]
fn reading_changes_nothing() {
    let desk = Desk::open();
    let cookie = desk.enter("zhao", Role::Supervisor);
    let state = || {
        let connection =
            rusqlite::Connection::open(desk.data.path().join("people.db")).expect("it opens");
        ["person", "session", "proposal", "audit", "api_key"].map(|table| {
            let query = format!("SELECT group_concat(quote(t.r)) FROM (SELECT json_array(count(*)) AS r FROM {table}) t");
            connection.query_row(&query, [], |row| row.get::<_, String>(0)).expect("it reads")
        })
    };
    let before = (state(), desk.people.audit(None).expect("the log"));
    for (path, _) in PAGES {
        desk.get(path, &cookie);
    }
    assert_eq!(before, (state(), desk.people.audit(None).expect("the log")));
}

#[test]
fn every_answer_has_the_policy_and_no_name_becomes_markup() {
    let desk = Desk::open();
    let cookie = desk.enter("zhao", Role::Supervisor);
    for path in [
        "/login",
        "/nowhere",
        "/console",
        "/console/people",
        "/console/proposals/7",
    ] {
        for cookie in ["", cookie.as_str()] {
            let answer = desk.get(path, cookie);
            assert!(
                answer
                    .header("content-security-policy")
                    .starts_with("default-src 'none'"),
                "{path}"
            );
            assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
            assert_eq!(answer.header("referrer-policy"), "no-referrer", "{path}");
        }
    }
    let failed = desk.sign_in("%22%3E%3Cimg+src%3Dx%3E", "wrong password", "");
    assert!(!failed.body.contains("<img"));
}
