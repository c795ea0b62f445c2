"""Finds rows of a staged file that repeat or contradict each other (billing-policy.md, 17), before any is stored.

This depends on the file alone, with one exception: rows whose content was voided are left out, so that the right record
can come in a file that still has the wrong one.
"""

from billing.calls.identity import is_plain, same_content, same_identity
from billing.calls.sql import column, run

REPEATED_IDS = """
    CREATE TEMPORARY TABLE repeated_id ON COMMIT DROP AS
    SELECT hashtextextended(call_id, 0) AS digest FROM staged_call WHERE seconds > 0 GROUP BY 1 HAVING count(*) > 1
"""
NOT_VOIDED = f"""
    AND NOT EXISTS (
        SELECT FROM billing_callrecord v
        WHERE v.is_voided AND v.call_id = s.call_id AND {same_content("s", "v")} AND {same_identity("s", "v")})
"""
# Of several rows for one record the first counts, but one with a leg counts before one without. A row without a leg
# contradicts nothing if the same content is there with a leg. All of this is done by grouping, because a file may have
# a million rows of one call.
VERDICTS = f"""
    INSERT INTO file_verdict
    WITH candidate AS (
        SELECT s.line, s.call_id, s.leg, s.started_at, {is_plain("s")} AS is_plain,
            concat_ws(' ', s.number, extract(epoch FROM s.started_at), s.seconds) AS content
        FROM staged_call s
        WHERE s.seconds > 0 AND hashtextextended(s.call_id, 0) IN (SELECT digest FROM repeated_id) {{not_voided}}
    ), counted AS (
        SELECT c.*,
            is_plain AND bool_or(NOT is_plain) OVER content AS has_leg,
            min(line) FILTER (WHERE is_plain) OVER content AS first_plain,
            min(line) OVER (PARTITION BY call_id, leg, content) AS first_leg
        FROM candidate c WINDOW content AS (PARTITION BY call_id, content)
    ), compared AS (
        SELECT c.*,
            min(content) OVER leg <> max(content) OVER leg AS differs,
            min(content) FILTER (WHERE is_plain) OVER start AS least_plain,
            max(content) FILTER (WHERE is_plain) OVER start AS most_plain,
            min(content) FILTER (WHERE NOT is_plain) OVER start AS least_leg,
            max(content) FILTER (WHERE NOT is_plain) OVER start AS most_leg
        FROM counted c WHERE NOT has_leg
        WINDOW leg AS (PARTITION BY call_id, leg), start AS (PARTITION BY call_id, started_at)
    )
    SELECT line, 'repeated' FROM counted WHERE has_leg
    UNION ALL
    SELECT line, CASE WHEN line > CASE WHEN is_plain THEN first_plain ELSE first_leg END
        THEN 'repeated' ELSE 'in_file' END
    FROM compared
    WHERE line > CASE WHEN is_plain THEN first_plain ELSE first_leg END OR differs OR CASE WHEN is_plain
        THEN least_plain <> most_plain OR least_leg <> content OR most_leg <> content
        ELSE least_plain <> content OR most_plain <> content END
"""  # noqa: S608 - our own text


def find_conflicts(*, take_voided: bool) -> None:
    """Fill `file_verdict` with the lines that repeat or contradict another row of the file."""
    run(REPEATED_IDS)
    if column("SELECT EXISTS (SELECT FROM repeated_id)")[0]:
        run(VERDICTS.format(not_voided="" if take_voided else NOT_VOIDED))
    run("DROP TABLE repeated_id")
