"""The router's words as data: which wording stands for which kind of work (R-RT-1 to R-RT-5).

Order matters: the first rule that fits decides. The confidence is how often such a wording kept its promise on the
commits of public repositories, roughly.
"""

from __future__ import annotations

from typing import NamedTuple

from bot.domain.task import TaskType

T = TaskType


class Rule(NamedTuple):
    """A pattern over the text (without case, anywhere unless anchored) and the type that it stands for."""

    type: TaskType
    confidence: float
    pattern: str


#: Work that ends in a report or is done by hand. It says so at its start, whatever files are named.
REQUESTS: tuple[Rule, ...] = (
    Rule(
        T.OPS,
        0.9,
        r"(?:re-?)?run (?:all |the |our )*(?:[\w-]+ ){0,3}(?:tests?|suite|benchmarks?|checks|"
        r"migrations?)\b(?! (?:in|on|only|with|via|as|using)\b)",
    ),
    Rule(
        T.OPS,
        0.9,
        r"(?:deploy|roll ?back|release|ship|promote)\b.*\b(?:to|on|from|in) (?:the )?(?:prod\w*|staging|"
        r"live|canary|k8s|kubernetes|[\w-]*server|cluster)\b",
    ),
    Rule(
        T.OPS,
        0.9,
        r"(?:git )?(?:merge|rebase|cherry-?pick|revert|tag|push)\b.*\b(?:branch|pull request|pr|commits?|release|"
        r"origin|onto|main|master|v\d[\d.]*)\b",
    ),
    Rule(
        T.OPS,
        0.9,
        r"(?:perform|do|run|conduct|execute)\b.*\b(?:load|stress|smoke|penetration|pen|manual) "
        r"?-?(?:tests?|testing|checklist|qa)\b",
    ),
    Rule(T.OPS, 0.85, r"(?:load|smoke|penetration|pen)[- ]?test(?:ing)?\b|(?:manual|qa|release|go-live) checklist\b"),
    Rule(T.OPS, 0.9, r"(?:perform |do |run |conduct |an? |the |full )*(?:security|penetration) audit\b"),
    Rule(
        T.VALIDATION,
        0.85,
        r"(?:validate|verify|confirm|check)\b.*\b(?:deployment|deployed|staging|production|environment|"
        r"rollout|release|docker compose|checklist)\b",
    ),
    Rule(
        T.VALIDATION,
        0.85,
        r"(?:validate|verify|check|run|measure|report)\b.*\b(?:lint\w*|eslint|coverage|type "
        r"?check\w*)\b(?! (?:step|job|script|in ci))",
    ),
    Rule(
        T.REVIEW,
        0.9,
        r"(?:(?:please )?(?:code |security |peer |design )?review\b(?! (?:app|apps|comments|page|button|"
        r"screen))|look over\b|audit (?:the|our|all)\b|give feedback\b|critique\b)",
    ),
    Rule(
        T.ANALYSIS,
        0.9,
        r"(?:analy[sz]e|profile|assess|evaluate|estimate|measure)\b|(?:performance|bundle|complexity|"
        r"error) (?:detection|analysis|profiling|audit)\b|(?:find|identify|detect|look for) (?:the |any |all "
        r")*(?:[\w-]+ )?(?:bottlenecks?|slow|hot ?spots?|n\+1|memory leaks?|errors?|bugs)\b(?!.* and fix)",
    ),
    Rule(
        T.SEARCH,
        0.9,
        r"(?:where|what|which|who|why|how|when|is there|are there|does|do we|can)\b.*\?\s*$|(?:where|"
        r"which|who) (?:is|are|does|do|uses|calls)\b",
    ),
    Rule(
        T.SEARCH,
        0.85,
        r"(?:search (?:for|the|our|all)|find (?:where|all|every|out|usages?|places|callers|which)|locate|"
        r"list (?:all|every) (?:the )?(?:[\w-]+ )?(?:usages?|callers?|places|files|endpoints|todos?)|grep|"
        r"look up|show me|tell me|explain (?:how|why|where|what))\b",
    ),
)
#: Work that changes files, most telling first.
CHANGES: tuple[Rule, ...] = (
    Rule(T.DEBUG, 0.8, r"^(?:fix|repair)(?:ing)?\b.*\b(?:failing|broken|red) (?:[\w-]+ )?tests?\b"),
    Rule(
        T.DOCS,
        0.9,
        r"\b(?:docs?|documentation|readme(?:\.md)?|changelog(?:\.md)?|typos?|misspell\w*|jsdoc|tsdoc|"
        r"docstrings?|contributing(?:\.md)?|faq|release notes|grammar|spelling|wording|tutorials?|"
        r"migration guide|code of conduct|sponsors?|badges?|broken links?|dead links?)\b|"
        r"^(?:document(?! (?:service|store|upload|model|storage|viewer|editor|parser|api|list|search)s?\b)|"
        r"mention|clarif(?:y|ies)|describe|explain)\b|\w\.mdx?\b",
    ),
    Rule(
        T.CONFIG,
        0.85,
        r"\b(?:github actions?|gh actions?|workflows?|ci|circleci|travis|codecov|codeql|dependabot|"
        r"renovate|husky|pre-?commit|editorconfig|gitignore|dockerignore|linters?|lint(?:ing|s)?|eslint|"
        r"prettier|stylelint|tailwind|issue templates?|pr templates?|pull request template|nightly|"
        r"prs?|pull requests?|devcontainer)\b(?! (?:engine|editor|builder|node)\b)",
    ),
    Rule(
        T.TESTS,
        0.85,
        r"^(?:add|write|extend|improve|update|create|refactor|fix|fixup|more|missing|deflake|stabili[sz]e|"
        r"skip|unskip|cover|split|port|mock|use|remove|move|increase)\w*\b.*\b(?:unit |integration |e2e |"
        r"regression )?(?:tests?|specs?|test cases?|test coverage|testing|fixtures?|snapshots?)$|"
        r"\b(?:unit|integration|e2e|regression|flaky|failing|missing) tests?\b|^tests?\b|\b(?:add|write|"
        r"more|extend|improve|update)\w* (?:[\w-]+ ){0,3}tests?\b|\btest (?:cases?|suite|coverage|for)\b|"
        r"\btests\b",
    ),
    Rule(
        T.SETUP,
        0.85,
        r"\b(?:boilerplate|skeleton|folder structure|repo(?:sitory)? structure|monorepo|starter (?:kit|"
        r"template|project)|scaffolding)\b",
    ),
    Rule(
        T.SETUP,
        0.75,
        r"^(?:set ?up|scaffold|bootstrap|initiali[sz]e|init)\b(?!.* (?:when|if|before|after|twice)\b)|"
        r"(?<=\w )set-?up$",
    ),
    Rule(
        T.DEBUG,
        0.8,
        r"^(?:debug|investigate|diagnose|troubleshoot)\b|\b(?:stack ?traces?|crash(?:es|ed|ing)?|race "
        r"conditions?|memory leaks?|deadlocks?|segfaults?|seg faults?|root cause|panics?|infinite loops?|"
        r"null pointer|unhandled|hangs?)\b",
    ),
    Rule(
        T.SCHEMA,
        0.85,
        r"\b(?:database|db) (?:schema|migrations?|tables?|index(?:es)?|columns?)\b|\b(?:add|create|write|"
        r"alter|drop) (?:[\w-]+ ){0,6}?(?:migrations?|table|foreign keys?)\b|\b(?:typeorm|prisma|alembic|"
        r"sqlalchemy|knex|sequelize|drizzle)\b|\bsql (?:schema|migrations?)\b|\b(?:entity|entities|"
        r"relational|data(?:base)?) (?:schema|model)\b",
    ),
    Rule(
        T.INTEGRATION,
        0.8,
        r"\bintegrat(?:e|es|ing|ion) (?:with|of|the)\b|\b(?:webhooks?|third[- ]party api|external api|"
        r"circuit[- ]breakers?|exponential backoff|retries|retry|fallbacks?|stripe|twilio|sendgrid|paypal|"
        r"api client|rest client|graphql client)\b",
    ),
    Rule(
        T.LOGIC,
        0.8,
        r"^(?:(?:re-?)?implement|support|handle|prevent|avoid|ensure|expose|respect|extract|convert|allow|"
        r"introduce|prefer|parse|correctly|pass|emit|detect|custom|do not|don't|only|always|lazy|cache|"
        r"throw|return|preserve|propagate|optimi[sz]e|speed up|make|move|refactor)\w*\b|^add (?:[\w-]+ "
        r")?(?:support|option|ability|api|endpoint|method|hook|component|service|controller)\b|\badds? "
        r"support\b|\b(?:faster|ability to|option to|support for|when|should|if|instead of|not|"
        r"performance of|improve performance)\b",
    ),
    Rule(
        T.LOGIC,
        0.75,
        r"^(?:create|build|develop|design|write|add)\b.*\b(?:services?|controllers?|endpoints?|"
        r"components?|modules?|class(?:es)?|functions?|handlers?|engine|algorithms?|logic|pages?|forms?|"
        r"hooks?)\b|\bbusiness (?:logic|rules?)\b",
    ),
    Rule(
        T.CONFIG,
        0.75,
        r"^(?:bump|upgrade|pin|lock|regenerate|format|lint|tidy|tweak|trigger|prettify|run)\b|"
        r"\b(?:dependenc(?:y|ies)(?! (?:injection|graph|tree|list|array|resol|track|order))|deps?|devdeps|"
        r"package\.json|tsconfig(?:\.json)?|makefile|dockerfile|docker[- ]?compose|docker (?:image|build)|"
        r"build scripts?|npm scripts?|(?:release|publish|build|deploy|setup) (?:scripts?|process|jobs?|"
        r"pipelines?|steps?|config\w*)|node version|python version|version|go mod|dist|e2e|coverage|"
        r"runners?|docker|helm|github|pnpm|yarn|npm|rollup|webpack config|vite config|playwright|cypress|"
        r"benchmarks?|banner|formatting|whitespace|indentation|unused imports?|import order|changesets?|"
        r"tooling|codegen|scripts?(?! (?:tag|setup|block|element))|(?<=\w )builds?|env(?:ironment)? "
        r"(?:file|example)|licen[cs]e (?:file|header|year|notice)|copyright|codeowners|releas(?:e|es|ing)|"
        r"publish(?:ing)?|matrix|steps?|installs?|latest|temporarily|regenerate|repo)\b|^(?:configure|"
        r"config)\b|\b(?:\w+ )?config(?:uration)? files?\b",
    ),
    Rule(
        T.DOCS,
        0.7,
        r"\b(?:guides?|examples?|links?|sections?|notes?|instructions|comments?|references?|how to|"
        r"community|logo|screenshots?|faq|website|blog|outdated|getting started)\b",
    ),
    Rule(
        T.CONFIG,
        0.6,
        r"^updat(?:e|es|ed|ing)\b(?!.*\b(?:services?|controllers?|endpoints?|components?|handlers?|logic|"
        r"functions?|methods?|class|types?|state|props?|api|model|query|queries|ui)\b)",
    ),
)
