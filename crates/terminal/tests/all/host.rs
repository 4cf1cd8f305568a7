//! An acquirer that does as it is told: it reads and writes real frames under its own module, and keeps who was debited.

use crypto::{ClearKey, KeyUsage, SecurityModule, SoftwareModule, WorkingKeys, WrappedKey};
use iso8583::frame::{TerminalHeader, open_terminal};
use iso8583::{Dialect, Message, Mti};
use payment::batch::{BlockCodes, Reconciled, UploadPart, Uploaded};
use payment::download::{Download, DownloadRequest, Offer, Step, Versions};
use payment::guard::TakenBack;
use payment::terminal::{Answer, KeysField, MacCheck, Request, Standing};
use payment::wire::{frame, terminal as wire};
use payment::{
    ApprovalCode, Batch, ChipRequest, Kind, ResponseCode, Rrn, SaleKey, SignOutcome, Stan,
};
use std::collections::{BTreeMap, BTreeSet};

pub const BATCH: Batch = Batch(17);
const TMK: &str = "CA5D92598DCA48CE8A4C76361A9269E9";
pub const ASK_AGAIN_MS: u32 = 400;
pub const BALANCED: BlockCodes = BlockCodes {
    domestic: Reconciled::Balanced,
    foreign: Reconciled::Balanced,
};

/// Terminal master key inside `module`; the value is a published one.
pub fn tmk(module: &SoftwareModule) -> WrappedKey {
    let clear = ClearKey::from_hex(TMK).unwrap();
    module.import(KeyUsage::TerminalMaster, &clear).unwrap()
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mac {
    Right,
    Wrong,
    Absent,
}

/// What happens to one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// Approved and answered.
    Approve,
    /// Declined and answered.
    Decline,
    /// Taken in; the answer carries no MAC.
    NoMac(ResponseCode),
    /// Approved; the MAC of the answer is wrong.
    WrongMac,
    /// Answered with 98: the acquirer reverses.
    GaveUp,
    /// Approved, but only after so many result queries.
    InProgress(u32),
    /// Approved; nothing comes back.
    AnswerLost,
    /// Approved; the connection breaks.
    Broken,
    /// Never arrives; nothing comes back.
    RequestLost,
    /// The connection is refused.
    Refused,
}

/// What a terminal gets for its request.
#[derive(Clone, Copy, Debug)]
#[allow(clippy::large_enum_variant)] // a reply lives for one step
pub enum Reply {
    Answer(Answer, Mac),
    Silence,
    Refused,
    Broken,
}

/// What the acquirer believes of a sale.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Belief {
    Debited,
    Declined(ResponseCode),
    InProgress(u32),
    Reversing(u32),
    Reversed,
}

/// A request as the acquirer read it.
#[derive(Clone, Debug)]
pub struct Sent {
    pub exchange: u64,
    pub request: Request,
    pub mac: MacCheck,
    pub fields: Vec<u8>,
    pub chip: Option<ChipRequest>,
    /// 60.4 and 60.5.
    pub capability: Vec<u8>,
    pub uploaded: Vec<Uploaded>,
}

pub struct Host {
    module: SoftwareModule,
    tmk: WrappedKey,
    pub keys: Option<WorkingKeys>,
    pub sales: BTreeMap<SaleKey, Belief>,
    pub answered: u32,
    /// What it says of the totals of a batch.
    pub codes: BlockCodes,
    /// Trace numbers uploaded in the open batch.
    pub uploaded: BTreeSet<Stan>,
    pub closed: BTreeSet<Batch>,
    /// Ends that named more than had been uploaded.
    pub refused_ends: u32,
    /// What every answer tells until the terminal has said that it knows.
    pub notice: Option<TakenBack>,
    /// What can be downloaded.
    pub offer: Offer,
    /// Processing requirement in the header of its answers.
    pub demands: u8,
    /// Downloads whose end it heard.
    pub taken: Vec<Download>,
}

impl Host {
    pub fn new() -> Self {
        let module = SoftwareModule::new([2; 32]);
        Self {
            tmk: tmk(&module),
            module,
            keys: None,
            sales: BTreeMap::new(),
            answered: 0,
            codes: BALANCED,
            uploaded: BTreeSet::new(),
            closed: BTreeSet::new(),
            refused_ends: 0,
            notice: None,
            offer: Offer::default(),
            demands: 0,
            taken: Vec::new(),
        }
    }

    pub fn read(&self, exchange: u64, bytes: &[u8]) -> Sent {
        let (_, body) = open_terminal(bytes).unwrap();
        let mut message = Message::new(Mti(0));
        Dialect::terminal().decode(body, &mut message).unwrap();
        let key = self.keys.as_ref().map(|keys| &keys.mac);
        let sealed = wire::read_request(&message, &self.module, 20_000).unwrap();
        Sent {
            exchange,
            request: sealed.request,
            chip: sealed.secrets.chip,
            capability: message
                .get(60)
                .map_or(Vec::new(), |field| field[11..].to_vec()),
            uploaded: sealed.secrets.uploaded,
            mac: frame::check_terminal_mac(&self.module, key, body, &message),
            fields: message.fields().map(|(number, _)| number).collect(),
        }
    }

    pub fn write(&self, answer: &Answer, mac: Mac) -> Vec<u8> {
        let mut message = Message::new(Mti(0));
        wire::write_answer(answer, mac != Mac::Absent, &mut message);
        let key = self
            .keys
            .as_ref()
            .filter(|_| mac != Mac::Absent)
            .map(|keys| &keys.mac);
        let header = TerminalHeader::COMMON
            .answer()
            .with_processing_requirement(self.demands);
        let mut bytes = Vec::new();
        frame::write_terminal(&self.module, &header, &message, key, &mut bytes).unwrap();
        if mac == Mac::Wrong {
            // The last byte is the last character of field 64.
            *bytes.last_mut().unwrap() ^= 1;
        }
        bytes
    }

    /// Fresh keys and the answer that carries them.
    pub fn sign_on(&mut self, request: &Request) -> Answer {
        self.answered += 1;
        let random: [u8; 32] =
            std::array::from_fn(|i| (i as u8 * 7) ^ (self.answered as u8).wrapping_mul(31));
        let (keys, field62) = self.module.issue_working_keys(&self.tmk, &random).unwrap();
        self.keys = Some(keys);
        let mut answer = Answer::to(request, ResponseCode::APPROVED);
        answer.origin.batch = Batch(BATCH.0 + self.closed.len() as u32);
        answer.keys = Some(KeysField(field62));
        answer.versions = self.versions();
        answer
    }

    /// Serves a request, and tells what the terminal does not know yet.
    pub fn receive(&mut self, sent: &Sent, fate: Fate) -> Reply {
        let reply = self.serve(sent, fate);
        let arrived = !matches!(fate, Fate::RequestLost | Fate::Refused);
        let knows = |told: &TakenBack| {
            sent.request.sign().is_some_and(|sign| {
                (sign.batch, sign.stan, sign.outcome)
                    == (told.sale.batch, told.sale.stan, SignOutcome::Reversed)
            })
        };
        self.notice = self.notice.filter(|told| !(arrived && knows(told)));
        match reply {
            Reply::Answer(mut answer, mac) if mac != Mac::Absent => {
                answer.taken_back = self.notice;
                Reply::Answer(answer, mac)
            }
            other => other,
        }
    }

    /// Takes a request in; a purchase meets `fate`, everything else is served as it should be, or lost with it.
    fn serve(&mut self, sent: &Sent, fate: Fate) -> Reply {
        match fate {
            Fate::RequestLost => return Reply::Silence,
            Fate::Refused => return Reply::Refused,
            _ => {}
        }
        let request = &sent.request;
        if request.carries_mac() && sent.mac != MacCheck::Right {
            return Reply::Answer(Answer::to(request, ResponseCode::MAC_ERROR), Mac::Right);
        }
        let answer = match request {
            Request::Management {
                kind: Kind::SignOn, ..
            } => self.sign_on(request),
            Request::Financial { sale, .. } if sale.kind == Kind::Purchase => {
                return self.purchase(sale.key, request, fate);
            }
            Request::Reversal { sale, .. } => self.reverse(sale.key, request),
            Request::Query {
                origin, original, ..
            } => {
                let key = SaleKey {
                    terminal: origin.terminal,
                    merchant: origin.merchant,
                    batch: original.0,
                    stan: original.1,
                };
                self.result(key, request)
            }
            Request::Settle { .. } | Request::Upload { .. } => self.batch(sent),
            Request::Download(asked) => self.piece(asked),
            _ => Answer::to(request, ResponseCode::APPROVED),
        };
        let mac = match (request.carries_mac(), fate) {
            (false, _) | (_, Fate::NoMac(_)) => Mac::Absent,
            (_, Fate::WrongMac) => Mac::Wrong,
            _ => Mac::Right,
        };
        match fate {
            Fate::AnswerLost => Reply::Silence,
            Fate::Broken => Reply::Broken,
            _ => Reply::Answer(answer, mac),
        }
    }

    fn purchase(&mut self, key: SaleKey, request: &Request, fate: Fate) -> Reply {
        if let Some(known) = self.sales.get(&key) {
            assert_eq!(*known, Belief::Reversed, "{key} was sent twice");
            return Reply::Answer(Answer::to(request, ResponseCode::DUPLICATE), Mac::Right);
        }
        let declined = ResponseCode::INSUFFICIENT_FUNDS;
        let approved = approval(request);
        let (belief, reply) = match fate {
            Fate::Approve => (Belief::Debited, Reply::Answer(approved, Mac::Right)),
            Fate::WrongMac => (Belief::Debited, Reply::Answer(approved, Mac::Wrong)),
            Fate::Decline => (
                Belief::Declined(declined),
                Reply::Answer(Answer::to(request, declined), Mac::Right),
            ),
            Fate::NoMac(code) if code.is_success() => {
                (Belief::Debited, Reply::Answer(approved, Mac::Absent))
            }
            Fate::NoMac(code) => (
                Belief::Declined(code),
                Reply::Answer(Answer::to(request, code), Mac::Absent),
            ),
            Fate::GaveUp => (
                Belief::Reversing(2),
                Reply::Answer(
                    Answer::to(request, ResponseCode::ISSUER_TIMEOUT),
                    Mac::Right,
                ),
            ),
            Fate::InProgress(queries) => (Belief::InProgress(queries), Reply::Silence),
            Fate::AnswerLost => (Belief::Debited, Reply::Silence),
            Fate::Broken => (Belief::Debited, Reply::Broken),
            Fate::RequestLost | Fate::Refused => return Reply::Silence,
        };
        self.sales.insert(key, belief);
        reply
    }

    /// Compares, keeps what is uploaded, and closes at an end that names as many.
    fn batch(&mut self, sent: &Sent) -> Answer {
        let mut answer = Answer::to(&sent.request, ResponseCode::APPROVED);
        let batch = sent.request.origin().batch;
        if self.closed.contains(&batch) {
            answer.code = ResponseCode::DUPLICATE;
            return answer;
        }
        match &sent.request {
            Request::Settle { totals, .. } => answer.compared = Some((*totals, self.codes)),
            Request::Upload { part, .. } => match part {
                UploadPart::Sales(_) => {
                    let stans = sent.uploaded.iter().map(|one| one.stan);
                    self.uploaded.extend(stans);
                }
                UploadPart::Advice(sale) => {
                    self.uploaded.insert(sale.key.stan);
                }
                UploadPart::Chip(_) => self.uploaded.extend(sent.request.origin().stan),
                UploadPart::End { records, .. } => {
                    if usize::from(*records) == self.uploaded.len() {
                        self.closed.insert(batch);
                        self.uploaded.clear();
                    } else {
                        self.refused_ends += 1;
                        answer.code = ResponseCode::INVALID_RELATED;
                    }
                }
            },
            other => panic!("no part of a batch: {other:?}"),
        }
        answer
    }

    fn versions(&self) -> Option<Versions> {
        Some(self.offer.versions).filter(|versions| *versions != Versions::default())
    }

    fn piece(&mut self, asked: &DownloadRequest) -> Answer {
        let (download, step) = asked.step().unwrap();
        if step == Step::End {
            self.taken.push(download);
        }
        let mut answer = Answer::to(&Request::Download(*asked), ResponseCode::APPROVED);
        answer.piece = self.offer.answer(download, step, asked.asked);
        answer.versions = self.versions().filter(|_| asked.mac);
        answer
    }

    fn reverse(&mut self, key: SaleKey, request: &Request) -> Answer {
        let code = match self.sales.get(&key) {
            None => ResponseCode::ORIGINAL_NOT_FOUND,
            Some(Belief::Declined(_)) => ResponseCode::INVALID_RELATED,
            Some(_) => ResponseCode::APPROVED,
        };
        self.sales.insert(key, Belief::Reversed);
        Answer::to(request, code)
    }

    fn result(&mut self, key: SaleKey, request: &Request) -> Answer {
        let mut answer = Answer::to(request, ResponseCode::APPROVED);
        let Some(belief) = self.sales.get_mut(&key) else {
            answer.standing = Some((Standing::NeverSeen, ASK_AGAIN_MS));
            return answer;
        };
        let standing = match *belief {
            Belief::Debited => Standing::Approved,
            Belief::Declined(code) => Standing::Declined(code),
            Belief::InProgress(queries) => {
                *belief = match queries {
                    0 => Belief::Debited,
                    _ => Belief::InProgress(queries - 1),
                };
                Standing::InProgress
            }
            Belief::Reversing(queries) => {
                *belief = match queries {
                    0 => Belief::Reversed,
                    _ => Belief::Reversing(queries - 1),
                };
                Standing::Reversing
            }
            Belief::Reversed => Standing::Reversed {
                never_debited: false,
            },
        };
        if standing == Standing::Approved {
            (answer.rrn, answer.approval) = rrn_and_approval();
        }
        answer.standing = Some((standing, ASK_AGAIN_MS));
        answer
    }
}

/// The approval of `request`, with everything that an approval brings.
pub fn approval(request: &Request) -> Answer {
    let mut answer = Answer::to(request, ResponseCode::APPROVED);
    (answer.rrn, answer.approval) = rrn_and_approval();
    answer
}

pub fn rrn_and_approval() -> (Option<Rrn>, Option<ApprovalCode>) {
    (Rrn::parse(b"112200000001"), ApprovalCode::parse(b"A12345"))
}
