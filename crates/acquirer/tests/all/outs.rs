//! What left the centre, and short ways to say what a test expects of it.

use acquirer::wallet::WalletRequest;
use acquirer::{Input, Question, Wanted};
use payment::terminal::{Answer, MacCheck};
use payment::{ResponseCode, SaleKey, host};

/// What left the centre, read from its bytes by whoever received them.
#[derive(Debug)]
#[allow(clippy::large_enum_variant)] // it lives for one assertion
pub enum Out {
    Till {
        exchange: u64,
        answer: Answer,
        mac: MacCheck,
        lost: Option<Input>,
    },
    Network {
        sealed: host::Sealed,
        mac: MacCheck,
        lost: Option<Input>,
    },
    ToNetwork {
        answer: host::Answer,
    },
    Case {
        case: u32,
    },
    Recall {
        wanted: Wanted,
        question: Box<Question>,
    },
    Wallet {
        request: WalletRequest<SaleKey>,
    },
}

/// What was asked of the wallet's provider, in order.
pub fn wallet(outs: &[Out]) -> Vec<WalletRequest<SaleKey>> {
    let asked = |out: &Out| match out {
        Out::Wallet { request } => Some(*request),
        _ => None,
    };
    outs.iter().filter_map(asked).collect()
}

/// The network's answer to a request: an approval carries approval code and settlement date.
pub fn answer(asked: &host::Sealed, code: &str) -> host::Answer {
    let code = ResponseCode::parse(code.as_bytes()).unwrap();
    let mut answer = host::Answer::to(&asked.request, code);
    if code.is_success() && matches!(asked.request, host::Request::Financial(_)) {
        answer.approval = Some(payment::ApprovalCode(*b"A1B2C3"));
        answer.settlement = Some(1_123);
    }
    answer
}

/// The one thing that left, an answer to a till.
#[track_caller]
pub fn till(outs: Vec<Out>) -> (Answer, MacCheck) {
    match <[Out; 1]>::try_from(outs) {
        Ok([Out::Till { answer, mac, .. }]) => (answer, mac),
        other => panic!("not one answer to a till: {other:?}"),
    }
}

/// The one thing that left, a request to the network.
#[track_caller]
pub fn network(outs: Vec<Out>) -> (host::Sealed, MacCheck) {
    match <[Out; 1]>::try_from(outs) {
        Ok([Out::Network { sealed, mac, .. }]) => (sealed, mac),
        other => panic!("not one request to the network: {other:?}"),
    }
}

/// The first advice that left.
#[track_caller]
pub fn advice(outs: Vec<Out>) -> host::Sealed {
    advices(&outs).into_iter().next().expect("no advice left")
}

/// Every advice that left.
pub fn advices(outs: &[Out]) -> Vec<host::Sealed> {
    let is_advice = |out: &Out| match out {
        Out::Network {
            sealed,
            mac: MacCheck::Right,
            ..
        } if matches!(sealed.request, host::Request::Reversal(_)) => Some(sealed.clone()),
        _ => None,
    };
    outs.iter().filter_map(is_advice).collect()
}

/// Codes told to tills, in order.
pub fn told(outs: &[Out]) -> Vec<String> {
    let code = |out: &Out| match out {
        Out::Till { answer, .. } => Some(answer.code.to_string()),
        _ => None,
    };
    outs.iter().filter_map(code).collect()
}

/// Case numbers opened, in order.
pub fn cases(outs: &[Out]) -> Vec<u32> {
    let case = |out: &Out| match out {
        Out::Case { case } => Some(*case),
        _ => None,
    };
    outs.iter().filter_map(case).collect()
}
