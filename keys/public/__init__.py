"""Trust anchors, the published key set, CRLs: everything needed to check, nothing that can sign."""
