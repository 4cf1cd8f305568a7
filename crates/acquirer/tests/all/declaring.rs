//! What cardholders say: kept once, with its time, through a restart; it moves nothing.

use crate::world::*;
use acquirer::Input;
use payment::Statement;

#[test]
fn a_statement_is_kept_once_and_moves_nothing() {
    for statement in Statement::ALL {
        let mut world = World::open();
        world.approved(&buy(1));
        let (key, before) = (world.key(&buy(1)), world.verdict(&buy(1)));
        let (payable, said_at) = (world.payable(), world.now.wall);
        let outs = world.step(Input::Declare { key, statement });
        assert!(outs.is_empty(), "nobody is told by a message");
        let written = world.records();
        world.now.wall.0 += 1_000;
        world.step(Input::Declare { key, statement });
        assert_eq!(world.records(), written, "the first word counts");
        world.restart();
        let declared = world.sale(&buy(1)).declared;
        for other in Statement::ALL {
            let kept = (other == statement).then_some(said_at);
            assert_eq!(declared.at(other), kept, "{other:?}");
        }
        assert_eq!((world.verdict(&buy(1)), world.payable()), (before, payable));
    }
}

#[test]
fn a_statement_about_a_forgotten_sale_is_a_record_all_the_same() {
    let mut world = World::open();
    let written = world.records();
    let key = world.key(&buy(7));
    world.step(Input::Declare {
        key,
        statement: Statement::NotMe,
    });
    assert_eq!(world.records(), written + 1);
}
