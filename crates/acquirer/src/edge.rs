//! The acquirer's edge: where bytes become meaning, MACs are checked and PIN blocks change zones.

use crate::sale::Reply;
use crate::{Acquirer, Effect, Input, State};
use crypto::{PinFormat, SecurityError, WorkingKeys, WrappedKey};
use iso8583::frame::{HostHeader, TerminalHeader, open_host, open_terminal};
use iso8583::{Dialect, Message, Mti};
use payment::download::Download;
use payment::terminal::{Answer, KeysField, MacCheck, Origin, Request, Sealed};
use payment::wire::{self, WireError};
use payment::{
    Batch, EdgeError, Institution, Kind, LinkId, MerchantId, Party, Peer, ResponseCode, Said, Stan,
    Surroundings, TerminalId, host,
};

impl Party for Acquirer {
    type State = State;

    fn state(&self) -> &State {
        &self.state
    }

    fn restore(&mut self, state: State) {
        self.state = state;
        self.state.find_cases();
        self.state.sales_max = self.sales_max;
    }

    fn hear(
        &self,
        around: &Surroundings<'_>,
        from: Peer,
        frame: &[u8],
    ) -> Result<Input, EdgeError> {
        match from {
            Peer::Exchange(exchange) => self.hear_terminal(around, exchange, frame),
            Peer::Member(member) if member == self.config.network => {
                self.hear_network(around, frame)
            }
            Peer::Member(_) => Err(EdgeError::Stranger),
        }
    }

    fn say(
        &self,
        around: &Surroundings<'_>,
        effect: &Effect,
        frame: &mut Vec<u8>,
    ) -> Result<Option<Said<Input>>, EdgeError> {
        let mut message = Message::new(Mti(0));
        match effect {
            Effect::Reply {
                reply,
                answer,
                mac,
                about,
            } => {
                let keys = self
                    .state
                    .session(&answer.origin.terminal)
                    .and_then(|s| s.keys.as_ref());
                let key = keys.filter(|_| *mac).map(|keys| &keys.mac);
                wire::terminal::write_answer(answer, key.is_some(), &mut message);
                let demanded = self.demanded(&answer.origin.terminal);
                let header = TerminalHeader {
                    tpdu: reply.tpdu,
                    header: reply.header,
                }
                .answer()
                .with_processing_requirement(demanded.map_or(0, Download::requirement));
                wire::frame::write_terminal(around.module, &header, &message, key, frame)?;
                Ok(Some(Said {
                    to: Peer::Exchange(reply.exchange),
                    if_undelivered: about.map(|key| Input::Undelivered { key }),
                }))
            }
            Effect::Forward(sealed) => {
                wire::host::write_request(sealed, around.module, &mut message)?;
                self.write_host(around, &mut message, frame)?;
                let if_undelivered =
                    matches!(sealed.request, host::Request::Financial(_)).then(|| Input::NotSent {
                        key: sealed.request.key(),
                    });
                Ok(Some(Said {
                    to: Peer::Member(self.config.network),
                    if_undelivered,
                }))
            }
            Effect::NetworkReply(answer) => {
                wire::host::write_answer(answer, &mut message);
                self.write_host(around, &mut message, frame)?;
                Ok(Some(Said {
                    to: Peer::Member(self.config.network),
                    if_undelivered: None,
                }))
            }
            Effect::Recall { .. } | Effect::CaseOpened { .. } | Effect::Wallet { .. } => Ok(None),
        }
    }

    fn tick() -> Input {
        Input::Tick
    }

    fn resumed() -> Input {
        Input::Resumed
    }

    fn link_changed(_member: Institution, up: bool) -> Option<Input> {
        Some(Input::Link { up })
    }
}

impl Acquirer {
    fn hear_terminal(
        &self,
        around: &Surroundings<'_>,
        exchange: u64,
        frame: &[u8],
    ) -> Result<Input, EdgeError> {
        let (header, body) = open_terminal(frame)?;
        let reply = Reply {
            exchange,
            tpdu: header.tpdu,
            header: header.header,
        };
        let mut message = Message::new(Mti(0));
        Dialect::terminal().decode(body, &mut message)?;
        let day = around.now.wall.day();
        let mut sealed = match wire::terminal::read_request(&message, around.module, day) {
            Ok(sealed) => sealed,
            Err(error) => return not_served(reply, &message, error),
        };
        let origin = sealed.request.origin();
        let session = self
            .state
            .session(&origin.terminal)
            .and_then(|s| s.keys.as_ref());
        let mac = wire::frame::check_terminal_mac(
            around.module,
            session.map(|keys| &keys.mac),
            body,
            &message,
        );
        let pin_refused = match session {
            Some(keys) if mac == MacCheck::Right => self.take_over_pin(around, keys, &mut sealed),
            _ => None,
        };
        let keys = match sealed.request {
            Request::Management {
                kind: Kind::SignOn, ..
            } => self.fresh_keys(around, origin.terminal)?,
            _ => None,
        };
        let link = match &sealed.request {
            Request::Financial { sale, .. } if sale.kind.row().moves_money() => {
                Some(LinkId::of_random(&(around.random)()))
            }
            _ => None,
        };
        Ok(Input::Request {
            reply,
            mac,
            sealed: Box::new(sealed),
            pin_refused,
            keys,
            link,
        })
    }

    /// Moves the PIN block from the terminal's key to the network's; a block that does not open costs the sale, not the party.
    fn take_over_pin(
        &self,
        around: &Surroundings<'_>,
        keys: &WorkingKeys,
        sealed: &mut Sealed,
    ) -> Option<ResponseCode> {
        let block = sealed.secrets.pin.take()?;
        let format = sealed.secrets.pin_format?;
        let pan = sealed.secrets.pan.as_ref()?;
        let Some(network) = &self.state.network else {
            return Some(ResponseCode::ISSUER_UNAVAILABLE);
        };
        match around.module.translate_pin(
            &keys.pin,
            format,
            &network.pin,
            PinFormat::WithPan,
            &block,
            pan,
        ) {
            Ok(moved) => {
                sealed.secrets.pin = Some(moved);
                sealed.secrets.pin_format = Some(PinFormat::WithPan);
                None
            }
            Err(SecurityError::PinFormat) => Some(ResponseCode::PIN_FORMAT),
            Err(_) => Some(ResponseCode::SECURITY_ERROR),
        }
    }

    fn fresh_keys(
        &self,
        around: &Surroundings<'_>,
        terminal: TerminalId,
    ) -> Result<Option<Box<(WorkingKeys, KeysField)>>, EdgeError> {
        let Some(setup) = self.config.terminals.get(&terminal) else {
            return Ok(None);
        };
        let (keys, field62) = around
            .module
            .issue_working_keys(&setup.tmk, &(around.random)())?;
        Ok(Some(Box::new((keys, KeysField(field62)))))
    }

    fn hear_network(&self, around: &Surroundings<'_>, frame: &[u8]) -> Result<Input, EdgeError> {
        let (_, body) = open_host(frame)?;
        let mut message = Message::new(Mti(0));
        Dialect::host().decode(body, &mut message)?;
        if message.mti() == NETWORK_MANAGEMENT {
            if self.check_host_mac(around, &message) != MacCheck::Right {
                return Err(EdgeError::Content(WireError {
                    field: 128,
                    problem: wire::Problem::Security,
                }));
            }
            let request =
                wire::host::read_request(&message, around.module, around.now.wall.day())?.request;
            let host::Request::Management(management) = request else {
                return Err(EdgeError::Stranger);
            };
            let keys = self.install(around, management.keys.as_ref());
            return Ok(Input::NetworkAsks { management, keys });
        }
        let answer = wire::host::read_answer(&message)?;
        let mac = self.check_host_mac(around, &message);
        let keys = self.install(
            around,
            answer
                .management
                .as_ref()
                .and_then(|(_, keys)| keys.as_ref()),
        );
        Ok(Input::Answer {
            mac,
            answer: Box::new(answer),
            keys,
        })
    }

    /// 08xx is under the key that only the two members know: nobody else gives or asks for keys.
    fn check_host_mac(&self, around: &Surroundings<'_>, message: &Message) -> MacCheck {
        let check = |key: &WrappedKey| {
            wire::frame::check_host_mac(around.module, self.config.mac, Some(key), message)
        };
        if is_management(message) {
            return check(&self.config.kek);
        }
        let Some(network) = &self.state.network else {
            return MacCheck::Wrong;
        };
        match (check(&network.mac), &network.mac_before) {
            (MacCheck::Wrong, Some(before)) => check(before),
            (checked, _) => checked,
        }
    }

    /// Both keys of field 62, or none when a check value differs.
    fn install(
        &self,
        around: &Surroundings<'_>,
        keys: Option<&host::HostKeys>,
    ) -> Option<(WrappedKey, WrappedKey)> {
        let keys = keys?;
        let take = |usage, (key, check): &([u8; 16], [u8; 4])| {
            around
                .module
                .install_host_key(&self.config.kek, usage, key, check)
                .ok()
        };
        Some((
            take(crypto::KeyUsage::Pin, &keys.pin)?,
            take(crypto::KeyUsage::Mac, &keys.mac)?,
        ))
    }

    fn write_host(
        &self,
        around: &Surroundings<'_>,
        message: &mut Message,
        frame: &mut Vec<u8>,
    ) -> Result<(), EdgeError> {
        let digits = |institution: Institution| institution.to_string();
        let header = HostHeader::new(
            digits(self.config.network).as_bytes(),
            digits(self.config.institution).as_bytes(),
        );
        let key = match &self.state.network {
            _ if is_management(message) => Some(&self.config.kek),
            network => network.as_ref().map(|keys| &keys.mac),
        };
        let mac = key.map(|key| (self.config.mac, key));
        wire::frame::write_host(around.module, &header, message, mac, frame)
    }
}

const NETWORK_MANAGEMENT: Mti = Mti(0x0800);

fn is_management(message: &Message) -> bool {
    matches!(message.mti(), NETWORK_MANAGEMENT | Mti(0x0810))
}

/// A readable message that is not served is answered with 30, or 40 for a kind we do not have; one that does not even say
/// who sent it is dropped and counted.
fn not_served(reply: Reply, message: &Message, error: WireError) -> Result<Input, EdgeError> {
    let kind = match message.mti() {
        Mti(0x0100) => Kind::PreAuth,
        Mti(0x0200) => Kind::Purchase,
        Mti(0x0220) => Kind::Refund,
        Mti(0x0320) => Kind::BatchUpload,
        Mti(0x0400) => Kind::Reversal,
        Mti(0x0500) => Kind::Settlement,
        Mti(0x0620) => Kind::ResultQuery,
        Mti(0x0800) => Kind::SignOn,
        Mti(0x0820) => Kind::Echo,
        _ => return Err(error.into()),
    };
    let code = match error.problem {
        wire::Problem::NotServed => ResponseCode::NOT_SUPPORTED,
        _ => ResponseCode::FORMAT_ERROR,
    };
    let origin = (|| {
        Some(Origin {
            terminal: TerminalId::parse(message.get(41)?)?,
            merchant: MerchantId::parse(message.get(42)?)?,
            stan: message
                .number(11)
                .and_then(|n| u32::try_from(n).ok())
                .filter(|n| *n > 0)
                .map(Stan),
            batch: Batch(message.text(60)?.get(2..8)?.parse().ok()?),
        })
    })()
    .ok_or(error)?;
    let mut answer = Answer::to(&Request::Management { kind, origin }, code);
    answer.processing = message.number(3).and_then(|n| u32::try_from(n).ok());
    Ok(Input::NotServed {
        reply,
        answer: Box::new(answer),
    })
}
