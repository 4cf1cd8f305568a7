//! Whose eyes a page is for: staff of the acquirer see every merchant, a merchant's people see that merchant alone.

use crate::people::{Person, Role};
use axum::Extension;
use axum::http::StatusCode;
use payment::MerchantId;

/// What the sign-in says of a visitor.
pub(super) type SignedIn = Option<Extension<Person>>;

/// What a visitor may see.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scope {
    /// Everything.
    Staff,
    /// One merchant.
    Merchant(MerchantId),
}

impl Scope {
    /// The scope of who is signed in: nobody, and a merchant's person without a merchant, see nothing.
    pub(super) fn of(person: &SignedIn) -> Result<Self, StatusCode> {
        let Some(Extension(person)) = person else {
            return Err(StatusCode::FORBIDDEN);
        };
        match (person.role, person.merchant) {
            (_, Some(merchant)) => Ok(Self::Merchant(merchant)),
            (Role::Merchant, None) => Err(StatusCode::FORBIDDEN),
            (Role::Auditor | Role::Operator | Role::Supervisor, None) => Ok(Self::Staff),
        }
    }

    /// Only staff passes.
    pub(super) fn staff(person: &SignedIn) -> Result<(), StatusCode> {
        match Self::of(person)? {
            Self::Staff => Ok(()),
            Self::Merchant(_) => Err(StatusCode::FORBIDDEN),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_merchants_people_never_are_staff() {
        let merchant = MerchantId::parse(b"898100053110001");
        let check = |role, merchant| {
            let person = Person {
                name: "li".into(),
                role,
                merchant,
            };
            Scope::of(&Some(Extension(person)))
        };
        assert_eq!(check(Role::Supervisor, None), Ok(Scope::Staff));
        assert_eq!(check(Role::Merchant, None), Err(StatusCode::FORBIDDEN));
        assert_eq!(
            check(Role::Merchant, merchant),
            Ok(Scope::Merchant(merchant.expect("a number")))
        );
        assert!(matches!(
            check(Role::Auditor, merchant),
            Ok(Scope::Merchant(_))
        ));
        assert_eq!(Scope::of(&None), Err(StatusCode::FORBIDDEN));
    }
}
