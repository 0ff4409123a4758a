//! What a file has beside its content: its mode, and whose it is. Names in the document, numbers in the file system.

use nix::unistd::{Gid, Group, Uid, User, getegid, geteuid};

use crate::delta::Delta;

use super::live::Live;
use super::stage::Look;
use super::{File, Form, Owner};

/// The numbers of a user and a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Ids {
    pub(super) uid: u32,
    pub(super) gid: u32,
}

impl Owner {
    /// Its numbers on this machine, or who of both is not known here.
    pub(super) fn ids(&self) -> Result<Ids, String> {
        let user = User::from_name(&self.user).ok().flatten();
        let group = Group::from_name(&self.group).ok().flatten();
        let uid = user.map(|it| it.uid.as_raw());
        let gid = group.map(|it| it.gid.as_raw());
        Ok(Ids {
            uid: uid
                .or_else(|| self.user.parse().ok())
                .ok_or_else(|| format!("no user is called {}; make it with useradd", self.user))?,
            gid: gid.or_else(|| self.group.parse().ok()).ok_or_else(|| {
                format!("no group is called {}; make it with groupadd", self.group)
            })?,
        })
    }

    /// In names where there are some.
    fn of(ids: Ids) -> Self {
        let user = User::from_uid(Uid::from_raw(ids.uid)).ok().flatten();
        let group = Group::from_gid(Gid::from_raw(ids.gid)).ok().flatten();
        Self {
            user: user.map_or_else(|| ids.uid.to_string(), |it| it.name),
            group: group.map_or_else(|| ids.gid.to_string(), |it| it.name),
        }
    }
}

impl Live {
    pub(super) fn ids(&self) -> Ids {
        Ids {
            uid: self.uid,
            gid: self.gid,
        }
    }
}

/// Whose the file is, in the words of `desired`: two names may stand for one number. A document that names nobody does
/// not compare it; of a file that nobody wants any more it is kept for an undo.
pub(super) fn owner(form: Form, desired: Option<&File>, ids: Ids) -> Option<Box<Owner>> {
    let ours = Ids {
        uid: geteuid().as_raw(),
        gid: getegid().as_raw(),
    };
    match (form, desired.map(|it| &it.owner)) {
        (Form::Block, _) | (Form::Whole, Some(None)) => None,
        (Form::Whole, None) => (ids != ours).then(|| Box::new(Owner::of(ids))),
        (Form::Whole, Some(Some(wanted))) => match wanted.ids() {
            Ok(same) if same == ids => Some(wanted.clone()),
            _ => Some(Box::new(Owner::of(ids))),
        },
    }
}

/// True when mode and owner are as wanted, or nobody wants anything of them.
pub(super) fn is_dressed(delta: &Delta<File>, there: Option<&Live>) -> Result<bool, String> {
    let (Some(to), Some(there)) = (delta.to(), there) else {
        return Ok(true);
    };
    let owner = to.owner.as_deref().map(Owner::ids).transpose()?;
    let right_mode = to.mode.is_none_or(|it| it == there.mode);
    Ok(right_mode && owner.is_none_or(|it| it == there.ids()))
}

/// A file of ours is whose the document says; else it is root's, and keeps the group it had (a daemon's, perhaps). A
/// file of somebody else keeps all.
pub(super) fn look<'a>(delta: &Delta<File>, there: Option<&'a Live>) -> Result<Look<'a>, String> {
    let to = delta.to();
    let whole = delta.subject().key.form == Form::Whole;
    let named = to.and_then(|to| to.owner.as_ref());
    let named = named.map(|it| it.ids()).transpose()?;
    let uid = match whole {
        true => Some(geteuid().as_raw()),
        false => there.map(|it| it.uid),
    };
    Ok(Look {
        mode: to
            .and_then(|to| to.mode)
            .filter(|_| whole)
            .or(there.map(|it| it.mode))
            .unwrap_or(0o644),
        uid: named.map(|it| it.uid).or(uid),
        gid: named.map(|it| it.gid).or(there.map(|it| it.gid)),
        old: there,
    })
}

pub(super) fn as_it_was(there: &Live) -> Look<'_> {
    Look {
        mode: there.mode,
        uid: Some(there.uid),
        gid: Some(there.gid),
        old: Some(there),
    }
}
