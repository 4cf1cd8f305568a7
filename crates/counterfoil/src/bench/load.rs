//! The load: purchases that begin when a plan says so, on tills that each do one thing at a time.
//!
//! Open loop: an arrival takes a free till or waits for one, and waiting counts, so a slow system is not asked less often
//! (no coordinated omission).

use super::chips::Chips;
use super::purchases::{Outcome, Purchase};
use super::world::{self, World};
use crate::config::Problem;
use crate::driver::{DriverHandle, wall};
use crate::fleet::{Fleet, Input};
use crate::party::{self, Running, Shown};
use crypto::Pin;
use payment::{Amount, Surroundings, Track2};
use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use terminal::{Command, Presented, Screen};
use tokio::sync::mpsc::UnboundedReceiver;

/// How long signing every till on may take.
const SIGN_ON: Duration = Duration::from_secs(60);
/// An arrival dispatched later than this is the load tool's own fault, in microseconds.
const LATE_US: u64 = 1_000;
/// Purchases are up to this amount, in fen: below it the issuer asks for no PIN.
const AMOUNT_MINOR_MAX: u64 = 99_999;
/// Arrivals are looked at so often, in microseconds: a wake-up for each would cost more than the purchase.
const LOOK_US: u64 = 500;
/// The load is the same every time.
const SEED: u64 = 0x5EED_C0DE;

/// When purchases begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arrivals {
    /// Poisson arrivals, so many in a second.
    Open {
        /// Purchases in a second.
        rate: u32,
    },
    /// Each till begins the next when the last is over: for capacity only, its latencies promise nothing.
    Closed,
}

/// How a load went, beside its purchases.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Ran {
    /// From the end of the warm-up to the end of the arrivals.
    pub(super) measured: Duration,
    /// When measuring began, in microseconds.
    pub(super) from_us: u64,
    /// Arrivals after the warm-up, and those dispatched late.
    pub(super) arrivals: u64,
    pub(super) late: u64,
}

/// The tills and what they are doing.
pub(super) struct Load {
    tills: Arc<Tills>,
    running: Running<Fleet>,
    watcher: JoinHandle<()>,
}

struct Tills {
    handle: DriverHandle<Fleet>,
    /// Of each till: its card with PIN and without.
    cards: Vec<[Presented; 2]>,
    pin_percent: u64,
    /// Cards that sign each purchase; without them stripes are read.
    chips: Option<Chips>,
    origin: Instant,
    floor: Mutex<Floor>,
    /// Something was over.
    moved: Condvar,
}

#[derive(Default)]
struct Floor {
    purchases: Vec<Purchase>,
    /// Of each till: its purchase.
    current: Vec<Option<usize>>,
    free: VecDeque<u32>,
    waiting: VecDeque<usize>,
    /// Begins the next purchase when one is over, up to this time.
    closed_until_us: u64,
    from_us: u64,
    random: Random,
}

impl Load {
    /// Starts the tills, signs them on and sees one purchase through.
    pub(super) fn sign_on(world: &World, pin_percent: u8, chip: bool) -> Result<Self, Problem> {
        let (running, mut shown) = world
            .runtime
            .block_on(async { party::terminals(&world.till) })?;
        let handle = running.handle().clone();
        let count = world.till.count;
        for place in 0..count {
            press(&handle, place, Command::SignOn)?;
        }
        world.runtime.block_on(async {
            let mut signed_on = 0;
            let all = async {
                while signed_on < count {
                    match shown.recv().await {
                        Some((_, Screen::SignedOn)) => signed_on += 1,
                        Some(_) => {}
                        None => return Err("the tills stopped".to_owned()),
                    }
                }
                Ok(())
            };
            match tokio::time::timeout(SIGN_ON, all).await {
                Ok(result) => result,
                Err(_) => Err(format!(
                    "{signed_on} of {count} tills signed on within {SIGN_ON:?}"
                )),
            }
        })?;
        let tills = Arc::new(Tills {
            cards: cards(world, &handle)?,
            handle,
            pin_percent: u64::from(pin_percent),
            chips: match chip {
                true => Some(Chips::new(count, wall())?),
                false => None,
            },
            origin: Instant::now(),
            floor: Mutex::new(Floor {
                current: vec![None; count as usize],
                free: (0..count).collect(),
                random: Random(SEED),
                ..Floor::default()
            }),
            moved: Condvar::new(),
        });
        let watching = Arc::clone(&tills);
        let watcher = std::thread::Builder::new()
            .name("till screens".to_owned())
            .spawn(move || watching.watch(shown))
            .map_err(|error| error.to_string())?;
        let load = Self {
            tills,
            running,
            watcher,
        };
        load.first_approval()?;
        Ok(load)
    }

    /// Hosts sign on to the network by themselves; until they have, purchases are declined.
    fn first_approval(&self) -> Result<(), Problem> {
        let until = Instant::now() + SIGN_ON;
        while Instant::now() < until {
            let number = self.tills.arrive(self.tills.now_us(), false);
            self.tills.drain(SIGN_ON);
            if self.tills.lock().purchases[number].outcome.paid() {
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        Err(format!("no purchase was approved within {SIGN_ON:?}"))
    }

    /// Begins purchases as planned and waits until all are over.
    pub(super) fn run(
        &mut self,
        arrivals: Arrivals,
        total: Duration,
        warm_up: Duration,
        drain: Duration,
    ) -> Ran {
        let tills = &self.tills;
        let begin = tills.now_us();
        let (from_us, end_us) = (
            begin + warm_up.as_micros() as u64,
            begin + total.as_micros() as u64,
        );
        let mut ran = Ran {
            measured: total - warm_up,
            from_us,
            ..Ran::default()
        };
        match arrivals {
            Arrivals::Open { rate } => {
                let mut random = Random(SEED);
                let mut next = begin as f64;
                loop {
                    next += random.exponential() * 1e6 / f64::from(rate);
                    let intended = next as u64;
                    if intended >= end_us {
                        break;
                    }
                    let now = tills.now_us();
                    if intended > now {
                        std::thread::sleep(Duration::from_micros((intended - now).max(LOOK_US)));
                    }
                    let timed = intended >= from_us;
                    tills.arrive(intended, timed);
                    ran.arrivals += u64::from(timed);
                    ran.late += u64::from(timed && tills.now_us() > intended + LATE_US);
                }
            }
            Arrivals::Closed => {
                let mut floor = tills.lock();
                (floor.closed_until_us, floor.from_us) = (end_us, from_us);
                let free = floor.free.len();
                drop(floor);
                for _ in 0..free {
                    tills.arrive(tills.now_us(), false);
                }
                std::thread::sleep(total);
            }
        }
        tills.drain(drain);
        ran
    }

    /// Waits until every purchase is over.
    pub(super) fn drain(&self, patience: Duration) {
        self.tills.drain(patience);
    }

    /// When the purchases' clock began.
    pub(super) fn origin(&self) -> Instant {
        self.tills.origin
    }

    /// Microseconds on the purchases' clock.
    pub(super) fn now_us(&self) -> u64 {
        self.tills.now_us()
    }

    /// Stops the tills and gives the list.
    pub(super) fn stop(self) -> Result<Vec<Purchase>, Problem> {
        self.running.stop()?;
        // The channel of screens ends with the driver.
        self.watcher
            .join()
            .map_err(|_| "the watcher of screens panicked".to_owned())?;
        Ok(std::mem::take(&mut self.tills.lock().purchases))
    }
}

fn press(handle: &DriverHandle<Fleet>, place: u32, command: Command) -> Result<(), Problem> {
    let input = Input::One(place, Box::new(terminal::Input::Cashier(command)));
    handle.send(input).map_err(|refused| refused.to_string())
}

/// Each till's card as reader and PIN pad give it. The PIN key does not change during a run, so neither does the block.
fn cards(world: &World, handle: &DriverHandle<Fleet>) -> Result<Vec<[Presented; 2]>, Problem> {
    let (_, module) = world.till.resolve()?;
    let count = world.till.count;
    let looked = handle.look_blocking(move |fleet, now| {
        let random = || [0; 32];
        let around = Surroundings {
            module: &module,
            now,
            random: &random,
        };
        let pin = Pin::parse(world::PIN.as_bytes()).ok()?;
        let numbers: Vec<String> = world::cards().collect();
        (0..count)
            .map(|place| {
                let number = &numbers[place as usize % numbers.len()];
                let track = format!("{number}D{}201000000000", world::EXPIRY);
                let terminal = fleet.terminal(place)?;
                let present = |pin| {
                    terminal
                        .present(&around, Track2::parse(track.as_bytes())?, pin)
                        .ok()
                };
                Some([present(Some(&pin))?, present(None)?])
            })
            .collect::<Option<Vec<_>>>()
    });
    looked
        .map_err(|refused| refused.to_string())?
        .ok_or("a card could not be read".to_owned())
}

impl Tills {
    fn now_us(&self) -> u64 {
        self.origin.elapsed().as_micros() as u64
    }

    /// A purchase arrives; gives its number.
    fn arrive(&self, intended_us: u64, timed: bool) -> usize {
        let mut floor = self.lock();
        let number = floor.arrive(intended_us, timed);
        let begun = floor.begin_waiting(self.now_us());
        drop(floor);
        self.send(begun);
        number
    }

    fn send(&self, begun: Vec<Begun>) {
        for Begun {
            place,
            number,
            amount_minor,
        } in begun
        {
            let with_pin = (number as u64 * 7) % 100 < self.pin_percent;
            let swiped = &self.cards[place as usize][usize::from(!with_pin)];
            let presented = match &self.chips {
                Some(chips) => chips.tap(place, number, amount_minor, swiped),
                None => Some(swiped.clone()),
            };
            let Some(presented) = presented else {
                self.lock().over(place, Outcome::Refused, self.now_us());
                continue;
            };
            let sale = Command::sale(Amount::fen(amount_minor), presented);
            if press(&self.handle, place, sale).is_err() {
                self.lock().over(place, Outcome::Refused, self.now_us());
            }
        }
    }

    /// Follows the screens until the tills stop.
    fn watch(&self, mut shown: UnboundedReceiver<Shown>) {
        let mut screens = Vec::new();
        while shown.blocking_recv_many(&mut screens, 1_024) > 0 {
            let now = self.now_us();
            let mut floor = self.lock();
            for (place, screen) in screens.drain(..) {
                match screen {
                    Screen::Confirming(key) => floor.called(place, key),
                    Screen::Approved {
                        recovered: false, ..
                    } => floor.over(place, Outcome::Approved, now),
                    Screen::Approved {
                        recovered: true, ..
                    } => floor.over(place, Outcome::Recovered, now),
                    Screen::Declined { code, .. } => {
                        floor.over(place, Outcome::Declined(code.0), now)
                    }
                    Screen::NotSent(_) => floor.over(place, Outcome::NotSent, now),
                    Screen::Reversed { .. } => floor.over(place, Outcome::Reversed, now),
                    Screen::Case(_) => floor.over(place, Outcome::Case, now),
                    Screen::Busy(_) => floor.over(place, Outcome::Refused, now),
                    // The load's cashiers never hand goods over before the till says so.
                    Screen::AskGoods(_) => {
                        drop(press(&self.handle, place, Command::GoodsHandedOver(false)))
                    }
                    _ => {}
                }
            }
            let begun = floor.begin_waiting(now);
            drop(floor);
            self.moved.notify_all();
            self.send(begun);
        }
    }

    fn drain(&self, patience: Duration) {
        let until = Instant::now() + patience;
        let mut floor = self.lock();
        while floor.busy() && Instant::now() < until {
            let wait = self.moved.wait_timeout(floor, Duration::from_millis(20));
            floor = wait.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    fn lock(&self) -> MutexGuard<'_, Floor> {
        self.floor.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A purchase for a till.
struct Begun {
    place: u32,
    number: usize,
    amount_minor: u64,
}

impl Floor {
    fn arrive(&mut self, intended_us: u64, timed: bool) -> usize {
        let number = self.purchases.len();
        self.purchases.push(Purchase {
            place: 0,
            key: None,
            amount_minor: 1 + self.random.next() % AMOUNT_MINOR_MAX,
            intended_us,
            sent_us: 0,
            ended_us: 0,
            outcome: Outcome::Open,
            timed,
        });
        self.waiting.push_back(number);
        number
    }

    /// Gives waiting purchases to free tills.
    fn begin_waiting(&mut self, now_us: u64) -> Vec<Begun> {
        let mut begun = Vec::new();
        while let (Some(&number), Some(&place)) = (self.waiting.front(), self.free.front()) {
            self.waiting.pop_front();
            self.free.pop_front();
            self.current[place as usize] = Some(number);
            let purchase = &mut self.purchases[number];
            (purchase.place, purchase.sent_us) = (place, now_us);
            begun.push(Begun {
                place,
                number,
                amount_minor: purchase.amount_minor,
            });
        }
        begun
    }

    fn called(&mut self, place: u32, key: payment::SaleKey) {
        if let Some(number) = self.current[place as usize] {
            self.purchases[number].key = Some(key);
        }
    }

    fn over(&mut self, place: u32, outcome: Outcome, now_us: u64) {
        let Some(number) = self.current[place as usize].take() else {
            return;
        };
        let purchase = &mut self.purchases[number];
        (purchase.outcome, purchase.ended_us) = (outcome, now_us);
        self.free.push_back(place);
        if now_us < self.closed_until_us {
            let timed = now_us >= self.from_us;
            self.arrive(now_us, timed);
        }
    }

    fn busy(&self) -> bool {
        !self.waiting.is_empty() || self.free.len() < self.current.len()
    }
}

/// A small generator (splitmix64): the load needs no secrets, only the same numbers every time.
#[derive(Default)]
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// Waiting times of a Poisson process with mean 1.
    fn exponential(&mut self) -> f64 {
        let uniform = ((self.next() >> 11) as f64 + 1.0) / (1u64 << 53) as f64;
        -uniform.ln()
    }
}
