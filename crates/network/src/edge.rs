//! Frames to inputs and effects to frames; the only place where the security module is asked.
//!
//! Whatever is not under the right MAC key of its link has no effect (invariant K1): the working key, or for 08xx the
//! member's key-encrypting key.

use crate::config::Member;
use crate::state::Keys;
use crate::{Effect, Heard, Input, Network, State};
use crypto::{PinFormat, SecurityError};
use iso8583::frame::{self, HostHeader};
use iso8583::{Dialect, Message, Mti};
use payment::host::{AnswerKind, Financial, Request};
use payment::terminal::MacCheck;
use payment::wire::frame::{check_host_mac, host_mac_parts, write_host};
use payment::wire::host as wire;
use payment::wire::{Problem, WireError};
use payment::{
    EdgeError, HostKey, Institution, Party, Peer, ResponseCode, Said, Secrets, Surroundings,
};

const MAC: u8 = 128;

impl Party for Network {
    type State = State;

    fn state(&self) -> &State {
        &self.state
    }

    fn restore(&mut self, state: State) {
        self.state = state;
    }

    fn hear(
        &self,
        around: &Surroundings<'_>,
        from: Peer,
        bytes: &[u8],
    ) -> Result<Input, EdgeError> {
        let Peer::Member(from) = from else {
            return Err(EdgeError::Stranger);
        };
        let member = self.directory.member(from).ok_or(EdgeError::Stranger)?;
        let (header, body) = frame::open_host(bytes)?;
        if !names(header.source(), from) || !names(header.destination(), self.config.institution) {
            return Err(EdgeError::Stranger);
        }
        let mut message = Message::new(Mti(0));
        Dialect::host().decode(body, &mut message)?;
        // The second digit from the right is odd in answers.
        if message.mti().0 & 0x10 != 0 {
            self.hear_answer(around, member, &message)
        } else {
            self.hear_request(around, member, &message)
        }
    }

    fn say(
        &self,
        around: &Surroundings<'_>,
        effect: &Effect,
        out: &mut Vec<u8>,
    ) -> Result<Option<Said<Input>>, EdgeError> {
        let mut message = Message::new(Mti(0));
        let (to, mac, if_undelivered) = match effect {
            Effect::Request { to, sealed, mac } => {
                wire::write_request(sealed, around.module, &mut message)?;
                let if_undelivered = match &sealed.request {
                    Request::Financial(sale) => Some(Input::NotSent { key: sale.key }),
                    // Store-and-forward tries again by itself.
                    Request::Reversal(_) | Request::Management(_) => None,
                };
                (*to, *mac, if_undelivered)
            }
            Effect::Answer { to, answer, mac } => {
                wire::write_answer(answer, &mut message);
                (*to, *mac, None)
            }
        };
        let member = self.directory.member(to).ok_or(EdgeError::Stranger)?;
        let key = mac.unwrap_or(member.kek);
        let header = HostHeader::new(
            to.to_string().as_bytes(),
            self.config.institution.to_string().as_bytes(),
        );
        let mac = Some((member.mac, &key));
        write_host(around.module, &header, &mut message, mac, out)?;
        Ok(Some(Said {
            to: Peer::Member(to),
            if_undelivered,
        }))
    }

    fn tick() -> Input {
        Input::Tick
    }

    fn resumed() -> Input {
        Input::Resumed
    }

    fn link_changed(member: Institution, up: bool) -> Option<Input> {
        Some(Input::Link { member, up })
    }
}

impl Network {
    fn hear_request(
        &self,
        around: &Surroundings<'_>,
        member: &Member,
        message: &Message,
    ) -> Result<Input, EdgeError> {
        let from = member.institution;
        // Refused before anything of it is read.
        let keys = match message.mti() {
            Mti(0x0800) => self
                .check_management(around, member, message)
                .map(|()| None)?,
            _ => Some(self.authenticate(around, member, message)?.ok_or(BAD_MAC)?),
        };
        let sealed = wire::read_request(message, around.module, around.now.wall.day())?;
        let mut secrets = sealed.secrets;
        let route = secrets
            .pan
            .as_ref()
            .and_then(|pan| self.directory.issuer(pan));
        let heard = match (sealed.request, keys) {
            (Request::Financial(sale), Some(keys)) => {
                self.check_owner(sale.key, from)?;
                let pin_zone = self.move_pin(around, &keys, route, &mut secrets);
                Heard::Financial {
                    sale,
                    secrets,
                    route,
                    receiver: self.receiver(around, &sale),
                    pin_zone,
                }
            }
            (Request::Reversal(reversal), Some(_)) => {
                self.check_owner(reversal.key, from)?;
                self.check_owner(reversal.original, from)?;
                let receiver = self.receiver(around, &reversal.sale);
                Heard::Reversal {
                    reversal,
                    route,
                    receiver,
                }
            }
            (Request::Management(request), None) => {
                self.check_owner(request.key, from)?;
                let issued = match request.code {
                    payment::host::NetworkCode::SignOn => Some(self.issue_keys(around, from)?),
                    _ => None,
                };
                Heard::Management { request, issued }
            }
            _ => return Err(BAD_MAC),
        };
        let heard = Box::new(heard);
        Ok(Input::Heard { from, heard })
    }

    /// The member that issued the card that receives the amount.
    fn receiver(&self, around: &Surroundings<'_>, sale: &Financial) -> Option<Institution> {
        let number = around.module.open_pan(&sale.to?.sealed).ok()?;
        self.directory.issuer(&number)
    }

    fn hear_answer(
        &self,
        around: &Surroundings<'_>,
        member: &Member,
        message: &Message,
    ) -> Result<Input, EdgeError> {
        let from = member.institution;
        let answer = wire::read_answer(message)?;
        if answer.kind == AnswerKind::Management {
            self.check_management(around, member, message)?;
        } else if self.authenticate(around, member, message)?.is_none() {
            let key = answer.key;
            let flight = self.state.flights.get(&key);
            return match flight.is_some_and(|flight| flight.issuer == from && !flight.wrong_mac) {
                true => Ok(Input::WrongMac { key }),
                false => Err(BAD_MAC),
            };
        }
        let heard = Box::new(Heard::Answer(answer));
        Ok(Input::Heard { from, heard })
    }

    /// Nobody without the member's key-encrypting key signs it on or off, or takes keys in its name.
    fn check_management(
        &self,
        around: &Surroundings<'_>,
        member: &Member,
        message: &Message,
    ) -> Result<(), EdgeError> {
        match check_host_mac(around.module, member.mac, Some(&member.kek), message) {
            MacCheck::Right => Ok(()),
            MacCheck::Wrong | MacCheck::Absent => Err(BAD_MAC),
        }
    }

    /// The member's keys under whose MAC key field 128 is right.
    fn authenticate(
        &self,
        around: &Surroundings<'_>,
        member: &Member,
        message: &Message,
    ) -> Result<Option<Keys>, EdgeError> {
        let (Some(session), Some(received)) = (
            self.state.sessions.get(&member.institution),
            message.get(MAC),
        ) else {
            return Ok(None);
        };
        let parts = host_mac_parts(message);
        for keys in session.acceptable() {
            if around
                .module
                .mac_matches(member.mac, &keys.mac, &parts, received)?
            {
                return Ok(Some(*keys));
            }
        }
        Ok(None)
    }

    /// A member speaks only of its own transactions, and nobody with the network's own forwarder code.
    fn check_owner(&self, key: HostKey, from: Institution) -> Result<(), EdgeError> {
        match key.acquirer == from && key.forwarder != self.config.institution {
            true => Ok(()),
            false => Err(EdgeError::Stranger),
        }
    }

    /// Moves the PIN block from the acquirer's zone into the issuer's; gives the number of the issuer's keys.
    fn move_pin(
        &self,
        around: &Surroundings<'_>,
        from: &Keys,
        issuer: Option<Institution>,
        secrets: &mut Secrets,
    ) -> Result<Option<u64>, ResponseCode> {
        let (Some(block), Some(format), Some(pan)) =
            (secrets.pin.take(), secrets.pin_format, &secrets.pan)
        else {
            return Ok(None);
        };
        let Some(zone) = issuer
            .and_then(|issuer| self.state.sessions.get(&issuer))
            .and_then(|session| session.reachable())
        else {
            // Nobody to move it to; the decision declines for that reason.
            return Ok(None);
        };
        let to_format = PinFormat::WithPan;
        let module = around.module;
        match module.translate_pin(&from.pin, format, &zone.pin, to_format, &block, pan) {
            Ok(block) => {
                secrets.pin = Some(block);
                secrets.pin_format = Some(to_format);
                Ok(Some(zone.number))
            }
            Err(SecurityError::PinFormat) => Err(ResponseCode::PIN_FORMAT),
            Err(_) => Err(ResponseCode::SECURITY_ERROR),
        }
    }
}

const BAD_MAC: EdgeError = EdgeError::Content(WireError {
    field: MAC,
    problem: Problem::Security,
});

/// Whether the header's padded digits are this institution.
fn names(digits: &[u8], institution: Institution) -> bool {
    std::str::from_utf8(digits).is_ok_and(|text| text.parse() == Ok(institution.0))
}
