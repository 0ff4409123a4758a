//! Destinations on file: under each service, the addresses of its real servers. A service is named once, however many
//! it has.

use std::fmt;

use serde::de::{DeserializeSeed, Error, MapAccess, Unexpected, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserializer, Serialize, Serializer};

use super::DestinationKey;
use crate::ipvs::{self, ServiceId, Text};
use crate::resources::OnFile;

impl OnFile for DestinationKey {
    fn write<S: Serializer>(keys: &[Self], serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for group in keys.chunk_by(|a, b| a.service == b.service) {
            if let [first, ..] = group {
                map.serialize_entry(&first.service, &Addresses(group))?;
            }
        }
        map.end()
    }

    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Self>, D::Error> {
        deserializer.deserialize_map(Services)
    }
}

/// The destinations of one service, without it: one text, since there are many.
struct Addresses<'a>(&'a [DestinationKey]);

/// As much as an IPv4 address, a port and a space take.
const ROOM: usize = 22;

impl Serialize for Addresses<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut line = String::with_capacity(self.0.len() * ROOM);
        for (at, key) in self.0.iter().enumerate() {
            let mut text = Text::new();
            text.push(if at == 0 { "" } else { " " });
            text.push_socket(key.address, key.port);
            line.push_str(text.as_str());
        }
        serializer.serialize_str(&line)
    }
}

struct Services;

impl<'de> Visitor<'de> for Services {
    type Value = Vec<DestinationKey>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("services, each with the addresses of its destinations")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut keys = Vec::new();
        while let Some(service) = map.next_key()? {
            map.next_value_seed(Into {
                keys: &mut keys,
                service,
            })?;
        }
        Ok(keys)
    }
}

/// Reads the addresses of one service into the list of all.
struct Into<'a> {
    keys: &'a mut Vec<DestinationKey>,
    service: ServiceId,
}

impl<'de> DeserializeSeed<'de> for Into<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Into<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("addresses with ports, such as `10.0.0.2:80 10.0.0.3:80`")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<(), E> {
        for at in text.split(' ') {
            let at = ipvs::socket(at);
            let (address, port) =
                at.ok_or_else(|| E::invalid_value(Unexpected::Str(text), &self))?;
            self.keys.push(DestinationKey {
                service: self.service,
                address,
                port,
            });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resources::KeySet;

    #[test]
    fn a_service_is_named_once() {
        let key = |text: &str| text.parse::<DestinationKey>().unwrap();
        let keys: KeySet<_> = [
            key("tcp 192.0.2.10:80 → 10.0.0.3:8080"),
            key("tcp 192.0.2.10:80 → 10.0.0.2:80"),
            key("udp [2001:db8::1]:53 → [2001:db8::2]:53"),
            key("fwmark 7 → 10.0.0.2:0"),
        ]
        .into_iter()
        .collect();
        let text = serde_json::to_string(&keys).unwrap();
        let wanted = "{\"tcp 192.0.2.10:80\":\"10.0.0.2:80 10.0.0.3:8080\",\
                      \"udp [2001:db8::1]:53\":\"[2001:db8::2]:53\",\"fwmark 7\":\"10.0.0.2:0\"}";
        assert_eq!(text, wanted);
        assert_eq!(
            serde_json::from_str::<KeySet<DestinationKey>>(&text).unwrap(),
            keys
        );
    }
}
