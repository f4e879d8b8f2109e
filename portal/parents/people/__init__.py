"""Pages about the people of an application: guardians, invitations, mandates, phones, joint decisions."""
