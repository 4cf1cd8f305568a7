//! A frame-aware TCP relay that breaks one hop on purpose: sandbox only, for the demo, the tests and the fault lab.
//!
//! It looks at nothing but frame boundaries and message types, and never at what a message says.

use iso8583::frame::{self, Framing};
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};

/// Faults that may wait on one hop.
const FAULTS_MAX: usize = 256;

/// Which way a frame goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// From the side that connected.
    Forth,
    /// To the side that connected.
    Back,
}

/// What happens to a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// It is lost.
    Drop,
    /// It is lost and its connection with it.
    Cut,
    /// It comes so much later.
    Delay(Duration),
    /// It comes twice.
    Twice,
}

/// One planned fault: the next `times` frames of this type in this direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Message type, for instance `0x0210`; `None` is any.
    pub mti: Option<u16>,
    /// Which way.
    pub direction: Direction,
    /// What happens.
    pub act: Act,
    /// How often.
    pub times: u32,
}

/// A hop that can be broken.
#[derive(Clone, Debug)]
pub struct Hop {
    plan: Arc<Mutex<VecDeque<Fault>>>,
    address: SocketAddr,
}

impl Hop {
    /// Relays connections made to a fresh loopback port to `target`. Must be called on the runtime.
    pub async fn start(target: SocketAddr, framing: Framing) -> std::io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let hop = Self {
            plan: Arc::default(),
            address: listener.local_addr()?,
        };
        let relay = hop.clone();
        tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                let relay = relay.clone();
                tokio::spawn(async move {
                    if let Ok(far) = TcpStream::connect(target).await {
                        relay.carry(near, far, framing).await;
                    }
                });
            }
        });
        Ok(hop)
    }

    /// Where to connect.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Plans a fault, behind the ones already planned.
    pub fn plan(&self, fault: Fault) {
        let mut plan = self.lock();
        if plan.len() < FAULTS_MAX {
            plan.push_back(fault);
        }
    }

    /// Heals the hop: planned faults are forgotten.
    pub fn heal(&self) {
        self.lock().clear();
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, VecDeque<Fault>> {
        self.plan.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn next_act(&self, mti: Option<u16>, direction: Direction) -> Option<Act> {
        let mut plan = self.lock();
        let place = plan
            .iter()
            .position(|f| f.direction == direction && (f.mti.is_none() || f.mti == mti))?;
        let fault = &mut plan[place];
        fault.times -= 1;
        let (act, over) = (fault.act, fault.times == 0);
        if over {
            plan.remove(place);
        }
        Some(act)
    }

    async fn carry(&self, near: TcpStream, far: TcpStream, framing: Framing) {
        let _ = (near.set_nodelay(true), far.set_nodelay(true));
        let (near_read, near_write) = near.into_split();
        let (far_read, far_write) = far.into_split();
        tokio::select! {
            () = self.pump(near_read, far_write, framing, Direction::Forth) => {}
            () = self.pump(far_read, near_write, framing, Direction::Back) => {}
        }
    }

    async fn pump(
        &self,
        mut from: OwnedReadHalf,
        mut to: OwnedWriteHalf,
        framing: Framing,
        direction: Direction,
    ) {
        let mut buffer = Vec::new();
        let mut piece = [0; 8_192];
        loop {
            match from.read(&mut piece).await {
                Ok(0) | Err(_) => return,
                Ok(count) => buffer.extend_from_slice(&piece[..count]),
            }
            while let Ok(Some(length)) = frame::next(framing, &buffer) {
                let frame: Vec<u8> = buffer.drain(..length).collect();
                let copies = match self.next_act(mti(framing, &frame), direction) {
                    Some(Act::Drop) => 0,
                    Some(Act::Cut) => return,
                    Some(Act::Delay(wait)) => {
                        tokio::time::sleep(wait).await;
                        1
                    }
                    Some(Act::Twice) => 2,
                    None => 1,
                };
                for _ in 0..copies {
                    if to.write_all(&frame).await.is_err() {
                        return;
                    }
                }
            }
        }
    }
}

fn mti(framing: Framing, frame: &[u8]) -> Option<u16> {
    match framing {
        Framing::Terminal => {
            let bytes =
                frame.get(frame::TERMINAL_PREFIX_BYTES..frame::TERMINAL_PREFIX_BYTES + 2)?;
            Some(u16::from_be_bytes([bytes[0], bytes[1]]))
        }
        Framing::Host => {
            let digits = frame.get(frame::HOST_HEADER_BYTES..frame::HOST_HEADER_BYTES + 4)?;
            u16::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
        }
    }
}
