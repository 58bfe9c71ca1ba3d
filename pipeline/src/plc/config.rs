//! Which PLC, as configured. Takes the words of a station's configuration; gives the member of the
//! family, opened, or what is wrong and what would be right.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::modbus_tcp::map;
use super::modbus_tcp::reason::DEFECTS_MAX;
use super::modbus_tcp::words::WordOrder;
use super::modbus_tcp::{client::ModbusClient, server::ModbusServer};
use super::none::NonePlc;
use super::{Inputs, Plc};
use crate::clock::Clock;
use crate::stage::Counters;

/// Which PLC hears the verdicts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum PlcConfig {
    /// None; signals are logged.
    None {},
    /// Modbus/TCP, by the published register map.
    ModbusTcp(ModbusTcpConfig),
}

impl Default for PlcConfig {
    fn default() -> Self {
        Self::None {}
    }
}

/// Who asks whom.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "role", rename_all = "snake_case")]
pub enum ModbusTcpConfig {
    /// The PLC reads and writes the station's registers.
    Server(ServerConfig),
    /// The station writes and reads the PLC's holding registers.
    Client(ClientConfig),
}

/// The station is the Modbus server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ServerConfig {
    /// Where to listen, `IP:port`. Beyond this machine only if an address says so.
    pub listen: String,
    /// Who may connect; anyone if empty.
    pub allow: Vec<IpAddr>,
    /// The PLC is lost when nobody has read or written for so long, milliseconds.
    pub lost_after_ms: u64,
    /// A request that has begun must end within this, and an answer be taken; milliseconds.
    pub timeout_ms: u64,
    /// Where the two blocks are.
    pub registers: RegistersConfig,
    /// Kinds of defect that get a reason code of their own, in order.
    pub defects: Vec<String>,
}

impl Default for ServerConfig {
    fn default() -> Self {
        Self {
            listen: "127.0.0.1:1502".to_owned(),
            allow: vec![],
            lost_after_ms: 2_000,
            timeout_ms: 1_000,
            registers: RegistersConfig::default(),
            defects: vec![],
        }
    }
}

/// The station is the Modbus client.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClientConfig {
    /// The PLC, `IP:port`; port 502 if none is given.
    pub address: String,
    /// The PLC's unit number; most ignore it on TCP.
    #[serde(default = "any_unit")]
    pub unit: u8,
    /// How long to wait for each answer, milliseconds.
    #[serde(default = "timeout_ms")]
    pub timeout_ms: u64,
    /// How long to wait for a connection, milliseconds.
    #[serde(default = "connect_timeout_ms")]
    pub connect_timeout_ms: u64,
    /// How often to read what the PLC writes, milliseconds; 0 never.
    #[serde(default = "poll_ms")]
    pub poll_ms: u64,
    /// A coil of the PLC's that follows the gate; without it the gate is a bit of `flags`.
    #[serde(default)]
    pub gate_coil: Option<u16>,
    /// Where the two blocks are in the PLC.
    #[serde(default)]
    pub registers: RegistersConfig,
    /// Kinds of defect that get a reason code of their own, in order.
    #[serde(default)]
    pub defects: Vec<String>,
}

const fn any_unit() -> u8 {
    255
}

const fn timeout_ms() -> u64 {
    20
}

const fn connect_timeout_ms() -> u64 {
    1_000
}

const fn poll_ms() -> u64 {
    5
}

/// Where the two blocks of the map are, and how they are laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RegistersConfig {
    /// Address of the block that the station writes, counted from 0.
    pub station: u16,
    /// Address of the block that the PLC writes, counted from 0.
    pub plc: u16,
    /// Which word of a 32-bit value comes first.
    pub word_order: WordOrder,
}

impl Default for RegistersConfig {
    fn default() -> Self {
        Self { station: 0, plc: 1000, word_order: WordOrder::HighFirst }
    }
}

/// A PLC that cannot be opened.
#[derive(Debug, Error)]
pub enum PlcError {
    /// Not an address.
    #[error("plc.{key} = {given:?} is no address: give IP and port, like 127.0.0.1:1502")]
    Address {
        /// Which key.
        key: &'static str,
        /// What it says.
        given: String,
    },
    /// An address of another machine.
    #[error("plc.listen: {address} is no address of this machine: see `ip address`")]
    NotMine {
        /// The address.
        address: SocketAddr,
    },
    /// Another program listens there.
    #[error("plc.listen: {address} is taken by another program: see `ss -ltnp`, or choose another")]
    Taken {
        /// The address.
        address: SocketAddr,
    },
    /// A privileged port.
    #[error(
        "plc.listen: {address} needs a privilege, as all ports below 1024 do: give the service \
         AmbientCapabilities=CAP_NET_BIND_SERVICE, or listen on 1502 and let the PLC ask there"
    )]
    Permission {
        /// The address.
        address: SocketAddr,
    },
    /// Anything else the operating system says.
    #[error("plc.listen: {address}: {reason}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What it says.
        reason: std::io::Error,
    },
    /// A wait of no time.
    #[error("plc.{key} = 0: nothing could ever be in time; give milliseconds")]
    NoTime {
        /// Which key.
        key: &'static str,
    },
    /// Blocks that run into each other or beyond the last address.
    #[error(
        "plc.registers: {station_words} words from {station} (station) and {plc_words} from {plc} \
         (plc) overlap, or go beyond 65535",
        station_words = map::station::WORDS,
        plc_words = map::plc::WORDS
    )]
    Overlap {
        /// Address of the station's block.
        station: u16,
        /// Address of the PLC's block.
        plc: u16,
    },
    /// More kinds of defect than codes.
    #[error("plc.defects names {0} kinds, at most {DEFECTS_MAX} have a code")]
    TooManyDefects(usize),
    /// The thread or its sockets could not be had.
    #[error("the PLC's thread does not start: {0}")]
    Thread(std::io::Error),
}

/// Opens the PLC. What it hears goes to `inputs`; `clock` says when.
///
/// # Errors
/// [`PlcError`] where the configuration can't be right, or the port can't be had. A PLC that does
/// not answer is none: it is tried until it does.
pub fn open(
    config: &PlcConfig,
    inputs: Inputs,
    counters: Arc<Counters>,
    clock: Arc<dyn Clock>,
) -> Result<Box<dyn Plc>, PlcError> {
    Ok(match config {
        PlcConfig::None {} => Box::new(NonePlc),
        PlcConfig::ModbusTcp(ModbusTcpConfig::Server(server)) => {
            Box::new(ModbusServer::open(server, inputs, counters, clock)?)
        }
        PlcConfig::ModbusTcp(ModbusTcpConfig::Client(client)) => {
            Box::new(ModbusClient::open(client, inputs, counters, clock)?)
        }
    })
}

impl ServerConfig {
    /// The address to listen on, everything else being right too.
    pub(super) fn checked(&self) -> Result<SocketAddr, PlcError> {
        self.registers.check()?;
        check_defects(&self.defects)?;
        let waits = [("lost_after_ms", self.lost_after_ms), ("timeout_ms", self.timeout_ms)];
        check_waits(&waits)?;
        let given = || PlcError::Address { key: "listen", given: self.listen.clone() };
        self.listen.parse().map_err(|_| given())
    }
}

impl ClientConfig {
    /// The PLC's address, everything else being right too.
    pub(super) fn checked(&self) -> Result<SocketAddr, PlcError> {
        self.registers.check()?;
        check_defects(&self.defects)?;
        let connect = ("connect_timeout_ms", self.connect_timeout_ms);
        check_waits(&[("timeout_ms", self.timeout_ms), connect])?;
        let given = || PlcError::Address { key: "address", given: self.address.clone() };
        let without_port = || self.address.parse().map(|ip: IpAddr| SocketAddr::new(ip, 502));
        self.address.parse().or_else(|_| without_port()).map_err(|_| given())
    }
}

impl RegistersConfig {
    fn check(&self) -> Result<(), PlcError> {
        let (station, plc) = (usize::from(self.station), usize::from(self.plc));
        let (station_end, plc_end) = (station + map::station::WORDS, plc + map::plc::WORDS);
        let apart = station_end <= plc || plc_end <= station;
        if apart && station_end.max(plc_end) <= 1 << 16 {
            return Ok(());
        }
        Err(PlcError::Overlap { station: self.station, plc: self.plc })
    }
}

fn check_waits(waits: &[(&'static str, u64)]) -> Result<(), PlcError> {
    match waits.iter().find(|(_, ms)| *ms == 0) {
        Some((key, _)) => Err(PlcError::NoTime { key }),
        None => Ok(()),
    }
}

fn check_defects(defects: &[String]) -> Result<(), PlcError> {
    if defects.len() > DEFECTS_MAX { Err(PlcError::TooManyDefects(defects.len())) } else { Ok(()) }
}
