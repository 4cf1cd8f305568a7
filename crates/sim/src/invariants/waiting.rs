//! What waits for somebody: nothing that a machine could still do, and every item that people must know of.

use crate::oracle::End;
use crate::world::World;
use payment::SaleKey;
use payment::evidence::Confirmation;

pub(super) fn s1_nothing_waits(world: &mut World, _: bool) {
    let opens = world.acquirers.iter().map(|node| node.party.state().open());
    let acquirer = opens.fold((0, 0), |sum, open| (sum.0 + open.0, sum.1 + open.1));
    let network = &world.network.party;
    let switch = (network.in_flight(), network.undelivered());
    if acquirer != (0, 0) || switch != (0, 0) {
        world.core.violate("S1", || {
            format!("still open: acquirer {acquirer:?}, network {switch:?}")
        });
    }
    for node in &world.terminals {
        let (state, who) = (node.party.state(), node.who);
        if !node.gone && !state.is_settled() {
            world
                .core
                .violate("S1", || format!("{who:?} is not settled"));
        }
        if !node.gone && state.spool().unfinished() > 0 {
            let waiting = state.spool().unfinished();
            world.core.violate("S1", || {
                format!("{who:?}: {waiting} slips wait at a well printer")
            });
        }
    }
    let mut sales = world
        .acquirers
        .iter()
        .flat_map(|node| node.party.state().sales());
    let reversing = sales.find(|sale| {
        sale.evidence
            .reversal
            .is_some_and(|r| matches!(r.progress, payment::evidence::ReversalProgress::Open))
    });
    if let Some(sale) = reversing {
        let key = sale.key();
        world.core.violate("S1", || {
            format!("{key}: its reversal is open, and nobody sends it any more")
        });
    }
}

/// The time to confirm is long over: whatever nobody confirmed has a number and an owner.
pub(super) fn s3_what_nobody_confirmed_is_an_item(world: &mut World, _: bool) {
    let mut sales = world
        .acquirers
        .iter()
        .flat_map(|node| node.party.state().sales());
    let forgotten =
        sales.find(|sale| sale.stands() && is_unconfirmed(sale) && sale.evidence.case.is_none());
    if let Some(sale) = forgotten {
        let key = sale.key();
        world.core.violate("S3", || {
            format!("{key}: approved, never confirmed, and nobody's item")
        });
    }
}

pub(super) fn is_unconfirmed(sale: &acquirer::SaleRecord) -> bool {
    let asked = sale.request.kind.row().reversible();
    asked && sale.evidence.confirmation == Confirmation::None
}

/// A till that lives and speaks has told everything: nothing of it stays in the queue.
pub(super) fn s4_one_sided_items_are_those_of_the_judge(world: &mut World, rested: bool) {
    if !rested {
        return;
    }
    let mut wrong = Vec::new();
    for sale in world
        .acquirers
        .iter()
        .flat_map(|node| node.party.state().one_sided())
    {
        let Some(number) = world.core.oracle.by_key(&sale.key()) else {
            continue;
        };
        let at = usize::from(world.core.oracle.sales[number as usize].terminal);
        let lives = world.extended[at] && !world.terminals[at].gone;
        // Its till's batch said otherwise: people must look.
        let broken = world.core.oracle.is_broken(&sale.key());
        if lives && !broken && world.core.oracle.sales[number as usize].end == Some(End::Approved) {
            wrong.push(number);
        }
    }
    for number in wrong {
        world.core.violate("S4", || {
            format!("sale {number}: approved at a till that lives, and still called one-sided")
        });
    }
}

/// What a till says of its last sale and slip is what its acquirer knows of it, whichever of its reports were lost.
pub(super) fn s5_the_acquirer_knows_what_the_tills_say(world: &mut World, rested: bool) {
    if !rested {
        return;
    }
    let mut wrong = Vec::new();
    for (at, node) in world.terminals.iter().enumerate() {
        let speaks = !node.gone && node.party.state().signed_on();
        let Some(sign) = node.party.sign().filter(|_| speaks) else {
            continue;
        };
        let config = node.party.config();
        let key = SaleKey {
            terminal: config.terminal,
            merchant: config.merchant,
            batch: sign.batch,
            stan: sign.stan,
        };
        let says = Confirmation::Signed(sign.outcome, sign.slip);
        let sale = world.acquirer_of(at).sale(&key);
        let told = sale.filter(|sale| {
            sale.request.kind.row().reversible() && sale.host.is_some() && sale.answer.is_some()
        });
        if let Some(sale) = told.filter(|sale| sale.evidence.confirmation != says) {
            wrong.push(format!(
                "{key}: its till says {says:?}, and its acquirer knows {:?}",
                sale.evidence.confirmation
            ));
        }
    }
    for text in wrong {
        world.core.violate("S5", || text);
    }
}
