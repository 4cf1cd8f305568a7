//! A browser that measures: it signs in once and asks for pages as somebody at the desk would.

use super::PageCost;
use crate::config::Problem;
use std::net::SocketAddr;
use std::time::Instant;
use ureq::http::{Response, header};
use ureq::{Agent, Body};

/// Pages of the desk, besides a sale's.
const PATHS: [&str; 18] = [
    "/console",
    "/console/one-sided",
    "/console/terminals",
    "/console/plots",
    "/console/settings",
    "/console/proposals",
    "/console/people",
    "/console/audit",
    "/account",
    "/webhooks",
    "/merchant?merchant=898100053110001",
    "/merchant/transactions?merchant=898100053110001",
    "/merchant/unresolved?merchant=898100053110001",
    "/merchant/tills?merchant=898100053110001",
    "/api/docs",
    "/static/counterfoil.css",
    "/static/live.js",
    "/login",
];

/// Somebody who is signed in.
#[derive(Clone)]
pub(super) struct Browser {
    agent: Agent,
    desk: SocketAddr,
    cookie: String,
}

impl Browser {
    /// Signs in with an entry link.
    pub(super) fn enter(desk: SocketAddr, entry: &str) -> Result<Self, Problem> {
        let settings = Agent::config_builder()
            .max_redirects(0)
            .http_status_as_error(false);
        let mut browser = Self {
            agent: settings.build().into(),
            desk,
            cookie: String::new(),
        };
        let answer = browser.get(entry)?;
        let cookie = answer.headers().get(header::SET_COOKIE);
        let cookie = cookie.and_then(|cookie| cookie.to_str().ok());
        let pair = cookie.and_then(|cookie| cookie.split(';').next());
        pair.ok_or("the desk lets nobody in")?
            .clone_into(&mut browser.cookie);
        Ok(browser)
    }

    /// The answer to a look at a path, once its head is there.
    pub(super) fn get(&self, path: &str) -> Result<Response<Body>, Problem> {
        let ask = self.agent.get(format!("http://{}{path}", self.desk));
        let answer = ask.header(header::COOKIE, &self.cookie).call();
        answer.map_err(|error| format!("{path}: {error}"))
    }

    /// Every page of the desk, and that of the newest sale: each asked for so often.
    pub(super) fn pages(&self, asked: usize) -> Result<Vec<PageCost>, Problem> {
        let board = self.text("/console")?;
        let sale = super::follower::first_key(&board).map(|key| format!("/console/sale/{key}"));
        let paths = PATHS.iter().map(|path| (*path).to_owned()).chain(sale);
        paths.map(|path| self.page(path, asked)).collect()
    }

    fn page(&self, path: String, asked: usize) -> Result<PageCost, Problem> {
        let mut cost = PageCost {
            path,
            bytes: 0,
            first_byte_us: 0,
            last_byte_us: 0,
        };
        for _ in 0..asked {
            let began = Instant::now();
            let mut answer = self.get(&cost.path)?;
            let first = began.elapsed().as_micros() as u64;
            if answer.status() != 200 {
                return Err(format!("{}: {}", cost.path, answer.status()));
            }
            let body = answer.body_mut().read_to_vec();
            let body = body.map_err(|error| format!("{}: {error}", cost.path))?;
            cost.bytes = cost.bytes.max(body.len());
            cost.first_byte_us = cost.first_byte_us.max(first);
            cost.last_byte_us = cost.last_byte_us.max(began.elapsed().as_micros() as u64);
        }
        Ok(cost)
    }

    fn text(&self, path: &str) -> Result<String, Problem> {
        let mut answer = self.get(path)?;
        let text = answer.body_mut().read_to_string();
        text.map_err(|error| format!("{path}: {error}"))
    }
}
