//! Bytes of the network link to inputs and effects to bytes; the only place that asks the security module.
//!
//! Invariants: nothing is taken or said without field 128, under the link's MAC key or, for 08xx, under its key-encrypting
//! key; a PIN block ends here; what is not taken changes nothing.

use crate::issuer::{Issuer, State};
use crate::link::LinkKeys;
use crate::record::{Effect, Input, PinCheck};
use crypto::{KeyUsage, SecurityError, SecurityModule};
use iso8583::{Dialect, Message, Mti, frame};
use payment::host::{Financial, HostKeys, Management, NetworkCode, Request};
use payment::terminal::MacCheck;
use payment::wire::frame::{check_host_mac, host_mac_parts, write_host};
use payment::wire::host::{read_answer, read_request, write_answer, write_request};
use payment::wire::{Problem, WireError};
use payment::{EdgeError, Institution, Mono, Party, Peer, Said, Secrets, Surroundings};

const MAC_FIELD: u8 = 128;
const MANAGEMENT: Mti = Mti(0x0800);
const MANAGEMENT_ANSWER: Mti = Mti(0x0810);

const fn wrong(field: u8, problem: Problem) -> EdgeError {
    EdgeError::Content(WireError { field, problem })
}

impl Issuer {
    /// The keys under which this message was authenticated: the current ones, or for a while those before.
    fn authenticated(
        &self,
        module: &dyn SecurityModule,
        now: Mono,
        message: &Message,
    ) -> Result<LinkKeys, EdgeError> {
        let received = message.get(MAC_FIELD);
        let received = received.ok_or(wrong(MAC_FIELD, Problem::Missing))?;
        let parts = host_mac_parts(message);
        for keys in self.state.link.accepted(now) {
            if module.mac_matches(self.config.mac, &keys.mac, &parts, received)? {
                return Ok(*keys);
            }
        }
        Err(wrong(MAC_FIELD, Problem::Security))
    }

    fn pin_check(
        &self,
        module: &dyn SecurityModule,
        keys: &LinkKeys,
        sale: &Financial,
        secrets: &Secrets,
    ) -> Result<PinCheck, EdgeError> {
        let card = self.cards.get(&sale.card.token);
        let offset = card.and_then(|card| card.pin_offset.as_ref());
        let (Some(block), Some(format), Some(pan), Some(offset)) =
            (&secrets.pin, secrets.pin_format, &secrets.pan, offset)
        else {
            return Ok(PinCheck::Absent);
        };
        match module.verify_pin(&keys.pin, format, block, pan, &self.config.pvk, offset) {
            Ok(true) => Ok(PinCheck::Right),
            Ok(false) => Ok(PinCheck::Wrong),
            Err(SecurityError::PinFormat) => Ok(PinCheck::Format),
            Err(error) => Err(error.into()),
        }
    }

    fn install(
        &self,
        module: &dyn SecurityModule,
        keys: &HostKeys,
    ) -> Result<LinkKeys, SecurityError> {
        let install = |usage, (enciphered, check_value): &_| {
            module.install_host_key(&self.config.kek, usage, enciphered, check_value)
        };
        Ok(LinkKeys {
            pin: install(KeyUsage::Pin, &keys.pin)?,
            mac: install(KeyUsage::Mac, &keys.mac)?,
        })
    }

    fn hear_management(
        &self,
        module: &dyn SecurityModule,
        request: Management,
    ) -> Result<Input, EdgeError> {
        match request.code {
            NetworkCode::Echo => Ok(Input::Echo(request)),
            NetworkCode::KeyReset => {
                let keys = request.keys.as_ref();
                let keys = keys.ok_or(wrong(62, Problem::Missing))?;
                Ok(Input::KeyReset {
                    keys: self.install(module, keys).ok(),
                    request,
                })
            }
            NetworkCode::SignOn | NetworkCode::SignOff => Err(wrong(70, Problem::NotServed)),
        }
    }

    fn hear_answer(
        &self,
        module: &dyn SecurityModule,
        message: &Message,
    ) -> Result<Input, EdgeError> {
        let answer = read_answer(message)?;
        let Some((NetworkCode::SignOn, keys)) = answer.management else {
            return Err(wrong(70, Problem::NotServed));
        };
        let keys = match keys {
            Some(keys) if answer.code.is_success() => Some(self.install(module, &keys)?),
            _ => None,
        };
        Ok(Input::SignOnAnswer {
            key: answer.key,
            keys,
        })
    }

    /// 08xx is under the key that only the two members know: nobody else gives or asks for keys.
    fn check_management(
        &self,
        module: &dyn SecurityModule,
        message: &Message,
    ) -> Result<(), EdgeError> {
        match check_host_mac(module, self.config.mac, Some(&self.config.kek), message) {
            MacCheck::Right => Ok(()),
            MacCheck::Absent => Err(wrong(MAC_FIELD, Problem::Missing)),
            MacCheck::Wrong => Err(wrong(MAC_FIELD, Problem::Security)),
        }
    }

    /// Puts the MAC and writes the frame.
    fn seal(
        &self,
        module: &dyn SecurityModule,
        message: &mut Message,
        out: &mut Vec<u8>,
    ) -> Result<(), EdgeError> {
        let key = match message.mti() {
            MANAGEMENT | MANAGEMENT_ANSWER => &self.config.kek,
            _ => {
                let keys = self.state.link.keys();
                &keys.ok_or(wrong(MAC_FIELD, Problem::Security))?.mac
            }
        };
        let (to, from) = (
            self.config.network.to_string(),
            self.config.institution.to_string(),
        );
        let header = frame::HostHeader::new(to.as_bytes(), from.as_bytes());
        write_host(module, &header, message, Some((self.config.mac, key)), out)
    }
}

impl Party for Issuer {
    type State = State;

    fn state(&self) -> &State {
        &self.state
    }

    fn restore(&mut self, state: State) {
        self.take_over(state);
    }

    fn hear(
        &self,
        around: &Surroundings<'_>,
        from: Peer,
        frame: &[u8],
    ) -> Result<Input, EdgeError> {
        if from != Peer::Member(self.config.network) {
            return Err(EdgeError::Stranger);
        }
        let (_, body) = frame::open_host(frame)?;
        let mut message = Message::new(MANAGEMENT);
        Dialect::host().decode(body, &mut message)?;
        if matches!(message.mti(), MANAGEMENT | MANAGEMENT_ANSWER) {
            self.check_management(around.module, &message)?;
        }
        if message.mti() == MANAGEMENT_ANSWER {
            return self.hear_answer(around.module, &message);
        }
        let keys = match message.mti() {
            MANAGEMENT => None,
            _ => Some(self.authenticated(around.module, around.now.mono, &message)?),
        };
        let sealed = read_request(&message, around.module, around.now.wall.day())?;
        match (sealed.request, keys) {
            (Request::Management(request), _) => self.hear_management(around.module, request),
            (Request::Financial(sale), Some(keys)) => {
                let pin = self.pin_check(around.module, &keys, &sale, &sealed.secrets)?;
                Ok(Input::Financial {
                    chip: self.chip_check(around.module, &sale, &sealed.secrets, pin)?,
                    sale,
                    pin,
                    heard: around.now.mono,
                })
            }
            (Request::Reversal(reversal), Some(_)) => Ok(Input::Reversal(reversal)),
            (_, None) => Err(wrong(MAC_FIELD, Problem::Missing)),
        }
    }

    fn say(
        &self,
        around: &Surroundings<'_>,
        effect: &Effect,
        frame: &mut Vec<u8>,
    ) -> Result<Option<Said<Input>>, EdgeError> {
        let mut message = Message::new(MANAGEMENT);
        match effect {
            Effect::Answer(answer) => {
                write_answer(answer, &mut message);
            }
            Effect::SignOn(request) => {
                let sealed = payment::host::Sealed {
                    request: Request::Management(*request),
                    secrets: Secrets::default(),
                };
                write_request(&sealed, around.module, &mut message)?;
            }
            Effect::Notice(_) => return Ok(None),
        }
        self.seal(around.module, &mut message, frame)?;
        Ok(Some(Said {
            to: Peer::Member(self.config.network),
            // A lost sign-on is repeated, a lost answer is healed by a repeat or a reversal.
            if_undelivered: None,
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
