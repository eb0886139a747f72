"""All pages of the console."""

from issuer.console import audit, batches, cases, certificates, dashboard, paper, sign_in, sittings

ROUTERS = (
    sign_in.router,
    dashboard.router,
    batches.router,
    sittings.router,
    certificates.router,
    cases.router,
    paper.router,
    audit.router,
)
