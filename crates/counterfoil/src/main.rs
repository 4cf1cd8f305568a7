//! The program's entry: reads the command line and says how it ended by the exit status.

use std::process::ExitCode;

fn main() -> ExitCode {
    counterfoil::command::main()
}
