//! The command line: every command and flag, in one place.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use matrixos_runtime::cgroups::Groups;
use matrixos_types::{Handle, Instance, Nanos};

/// Everyone's own computer in the cloud, on one Linux machine, without a container daemon.
#[derive(Debug, Parser)]
#[command(name = "matrixos", version, about)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) common: Common,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Flags that every command takes; each wins over the configuration file.
#[derive(Debug, Clone, Args)]
pub(crate) struct Common {
    /// Configuration file (TOML); without this flag /etc/matrixos/matrixos.toml is read if it exists.
    #[arg(long, global = true, env = "MATRIXOS_CONFIG")]
    pub(crate) config: Option<PathBuf>,
    /// Data directory: store, images, the users' files.
    #[arg(long, global = true, env = "MATRIXOS_DATA")]
    pub(crate) data: Option<PathBuf>,
    /// Name of this installation; keeps two of them on one machine apart.
    #[arg(long, global = true)]
    pub(crate) instance: Option<Instance>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run the platform until it is told to stop.
    Serve(Serve),
    /// Look whether this machine has what the platform needs, and say how to get what is missing.
    Doctor,
    /// How the running platform is.
    Status,
    /// The users' containers, by way of the running supervisor.
    #[command(subcommand)]
    Container(Container),
    /// People's accounts, by way of the running supervisor.
    #[command(subcommand)]
    Account(Account),
    /// Who may see to other people's accounts, by way of the running supervisor.
    #[command(subcommand)]
    Admin(Admin),
    /// AI calls: the provider's key, prices, budgets, by way of the running supervisor.
    #[command(subcommand)]
    Ai(Ai),
    /// What happened to accounts, newest first, as JSON lines, by way of the running supervisor.
    Audit(Audit),
    /// The image that the computers run from.
    #[command(subcommand)]
    Image(Image),
    /// The store of accounts and wishes.
    #[command(subcommand)]
    Store(Store),
    /// The privileged half; started by `serve`, never by hand.
    #[command(hide = true)]
    Launcher,
    /// Holds the control group that a service manager has set aside for the computers; started by its unit.
    #[command(hide = true)]
    Hold,
}

#[derive(Debug, Args)]
pub(crate) struct Serve {
    /// Address to listen on, for example 127.0.0.1:8080; may be given several times.
    #[arg(long)]
    pub(crate) listen: Vec<SocketAddr>,
    /// The address people type, for example https://matrix-os.example.
    #[arg(long)]
    pub(crate) origin: Option<String>,
    /// The domain below which the computers have their names, for example matrix-os-users.example; without it, the
    /// origin's host.
    #[arg(long)]
    pub(crate) user_domain: Option<String>,
    /// Control group below which those of the computers are made, for example /matrixos.
    #[arg(long, env = "MATRIXOS_CGROUP")]
    pub(crate) cgroup: Option<Groups>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Container {
    /// Every container: owner, condition, process, memory.
    List {
        /// As JSON, for programs.
        #[arg(long)]
        json: bool,
    },
    /// What the container's first program has written.
    Logs(Owner),
    /// Let it run.
    Start(Owner),
    /// Stop it; its files stay.
    Stop(Owner),
    /// Wake it, if it sleeps.
    Wake(Owner),
    /// Why it is as it is: what happened to it, newest last.
    Why(Owner),
    /// Delete the account, the container and all of its files, for good.
    Destroy(Destroy),
}

#[derive(Debug, Subcommand)]
pub(crate) enum Account {
    /// Write everything that somebody has, files and what is known of the account, into a new tar.gz. They will see it in
    /// their activity.
    Export {
        /// Whose.
        handle: Handle,
        /// The file, which must not be there yet.
        file: PathBuf,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Admin {
    /// Print a link that makes whoever opens it first, within an hour, an administrator.
    Invite,
    /// Every administrator.
    List,
    /// Take an administrator's rights away.
    Dismiss(Owner),
}

#[derive(Debug, Subcommand)]
pub(crate) enum Ai {
    /// Where calls go, whether there is a key, whether the provider works, which models have a price.
    Status,
    /// Read key and prices anew from the files that the configuration names.
    Reload,
    /// What is left of somebody's budget.
    Usage(Owner),
    /// Change what somebody may spend in all.
    Quota(NewQuota),
    /// What is counted of calls, for Prometheus.
    Metrics,
}

#[derive(Debug, Args)]
pub(crate) struct NewQuota {
    /// Whose budget.
    pub(crate) handle: Handle,
    /// In dollars, for example 7.50; without it, what everybody may spend.
    #[arg(value_parser = dollars)]
    pub(crate) amount: Option<Nanos>,
}

fn dollars(text: &str) -> Result<Nanos, String> {
    Nanos::parse(text).ok_or_else(|| format!("{text:?} is no amount of dollars; write for example 7.50"))
}

#[derive(Debug, Args)]
pub(crate) struct Audit {
    /// Of one person only.
    #[arg(long)]
    pub(crate) handle: Option<Handle>,
}

#[derive(Debug, Args)]
pub(crate) struct Owner {
    /// Whose container.
    pub(crate) handle: Handle,
}

#[derive(Debug, Args)]
pub(crate) struct Destroy {
    /// Whose account and container.
    pub(crate) handle: Handle,
    /// The handle once more, to confirm.
    #[arg(long)]
    pub(crate) confirm: Option<Handle>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Image {
    /// Build the image from Debian packages, this program's gateway, the desktop and the home template.
    Build(Build),
    /// The images at hand.
    List,
    /// Hash every blob and compare the unpacked files with them.
    Verify,
    /// Take an image from an OCI layout directory.
    Import {
        /// The layout directory.
        from: PathBuf,
    },
}

#[derive(Debug, Args)]
pub(crate) struct Build {
    /// The gateway program.
    #[arg(long)]
    pub(crate) gateway: PathBuf,
    /// Folder with the built desktop.
    #[arg(long)]
    pub(crate) shell: PathBuf,
    /// Folder with the home template.
    #[arg(long)]
    pub(crate) home: PathBuf,
    /// File with the list of Debian packages.
    #[arg(long)]
    pub(crate) packages: PathBuf,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Store {
    /// Write every record as JSON lines to standard output. The supervisor must be stopped.
    Export,
    /// Look for contradictions between records. The supervisor must be stopped.
    Verify,
}
