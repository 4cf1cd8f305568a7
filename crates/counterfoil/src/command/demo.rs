//! `counterfoil demo`.

use super::{Failure, runtime, until_told_to_stop};
use crate::demo::{self, Ports, World};
use std::path::PathBuf;
use std::process::ExitCode;

/// Where the demo keeps its journals, and where `counterfoil where` looks afterwards.
pub(crate) const DATA: &str = "counterfoil-data/demo";
/// The demo's control port, which `counterfoil where` asks by default.
pub(crate) const CONTROL: &str = "127.0.0.1:7190";

/// Arguments of `demo`.
#[derive(Debug, Default, clap::Args)]
pub(super) struct Arguments {
    /// Ends after the stories; exit status 0 only if every story ended as it must
    #[arg(long)]
    once: bool,
    /// Opens the pages at once, without the stories
    #[arg(long, conflicts_with = "once")]
    no_stories: bool,
    /// Directory of the demo's journals; it is emptied first
    #[arg(long)]
    data: Option<PathBuf>,
    /// Control port on loopback
    #[arg(long)]
    control: Option<u16>,
}

pub(super) fn run(arguments: &Arguments, zh: bool) -> Result<ExitCode, Failure> {
    let data = arguments.data.clone().unwrap_or_else(|| DATA.into());
    let mut ports = if arguments.once {
        Ports::FREE
    } else {
        Ports::FIXED
    };
    ports.control = arguments.control.unwrap_or(ports.control);
    let runtime = runtime()?;
    let world = runtime.block_on(World::start(&data, ports))?;
    let well = arguments.no_stories || runtime.block_on(demo::run(&world, zh));
    if !arguments.once {
        let pages = runtime.block_on(world.open_pages())?;
        println!(
            "{}",
            if zh {
                "\n页面已打开："
            } else {
                "\nThe pages are open:"
            }
        );
        for (address, (chinese, english)) in &pages.links {
            println!("  {address}  {}", if zh { chinese } else { english });
        }
        println!(
            "{}",
            if zh {
                "演示继续运行。另开一个终端：counterfoil where T0000003/000002\n按 Ctrl-C 结束。"
            } else {
                "The demo stays up. In another terminal: counterfoil where T0000003/000002\nCtrl-C ends it."
            }
        );
        runtime.block_on(until_told_to_stop());
        pages.stop()?;
    }
    world.stop()?;
    Ok(if well {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
