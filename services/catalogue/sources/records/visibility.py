"""Whether the shop shows a product: the columns that say so, and their words in the languages of spreadsheets."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from services.catalogue.sources.records.rows import MAX_QUOTED, RowError


def _words(text: str) -> frozenset[str]:
    return frozenset(" ".join(word.split()) for word in text.split(","))


# True, yes, on and "published", as Excel, LibreOffice, Google Sheets and shop systems write them.
YES = _words(
    "1, true, yes, y, t, on, wahr, ja, j, vrai, oui, o, verdadero, verdadeiro, sí, si, s, vero, sì, sim, waar, sand,"
    "sann, sant, tosi, kyllä, tak, prawda, ano, pravda, áno, igen, igaz, da, adevărat, evet, doğru, ναι, αληθές, да,"
    "истина, правда, так, はい, 真, 是, 예, 참, taip, tiesa, jā, patiesība, jah, tõene, istina, resnica, ya, benar, có,"
    "đúng, ใช่, จริง, כן, אמת, نعم, صحيح, بله, हाँ, सही, cert, bai, já, satt,"
    "active, activated, enabled, enable, published, publish, public, visible, shown, show, online, live, listed,"
    "aktiv, aktiviert, veröffentlicht, sichtbar, öffentlich, actif, active, activé, publié, publiée, en ligne, activo,"
    "activado, publicado, público, en línea, attivo, attivato, pubblicato, visibile, ativo, ativado, visível, actief,"
    "gepubliceerd, zichtbaar, aktywny, opublikowany, widoczny, aktivní, publikováno, aktivt, publicerad, publiceret"
)
NO = _words(
    "0, -1, false, no, n, f, off, falsch, nein, faux, non, falso, não, nao, onwaar, nee, falsk, falskt, nej, nei,"
    "epätosi, ei, nie, fałsz, ne, nepravda, nem, hamis, nu, fals, hayır, yanlış, όχι, ψευδές, нет, ложь, ні,"
    "いいえ, 偽, 否, 假, 아니오, 거짓, usant, лъжа, не, брехня, netiesa, nē, nepatiesība, väär, neistina, laž, lažno,"
    "neresnica, tidak, salah, không, sai, ไม่, ไม่ใช่, เท็จ, לא, שקר, لا, خطأ, خیر, नहीं, गलत, ez, ósatt,"
    "inactive, deactivated, disabled, disable, unpublished, unpublish, draft, auto-draft, archived, archive, private,"
    "hidden, hide, invisible, offline, unlisted, pending, pending review, scheduled, future, trash, trashed, deleted,"
    "password, none, nowhere, not visible, not visible individually, discontinued, suspended, password protected,"
    "staging, whitelist only, whitelist_only,"
    "inaktiv, deaktiviert, nicht veröffentlicht, unveröffentlicht, entwurf, archiviert, privat, versteckt,"
    "verborgen, ausgeblendet, unsichtbar, nicht sichtbar, papierkorb, gelöscht, brouillon, archivé, privé, masqué,"
    "caché, inactif, désactivé, non publié, hors ligne, borrador, archivado, privado, oculto, inactivo, desactivado,"
    "no publicado, bozza, archiviato, privato, nascosto, inattivo, disattivato, non pubblicato, rascunho, arquivado,"
    "inativo, desativado, concept, gearchiveerd, inactief, privé, szkic, ukryty, nieaktywny, koncept, skrytý,"
    "neaktivní, utkast, kladde, dold, skjult"
)
# Column names in lower case with _ for spaces and hyphens. Shops: Shopify, WooCommerce, Magento, PrestaShop, Shopware.
VISIBLE = frozenset(
    {
        "published",
        "is_published",
        "publish",
        "published_on_online_store",
        "visible",
        "is_visible",
        "active",
        "is_active",
        "enabled",
        "is_enabled",
        "online",
        "is_online",
        "product_online",
        "status",
        "product_status",
        "post_status",
        "publication_status",
        "visibility",
        "visibility_in_catalog",
        "visibility_in_catalogue",
        "catalog_visibility",
        "published_at",
        "veröffentlicht",
        "sichtbar",
        "sichtbarkeit",
        "sichtbarkeit_im_katalog",
        "aktiv",
        "publié",
        "publicado",
        "pubblicato",
        "gepubliceerd",
        "actif",
        "activo",
        "attivo",
        "actief",
        "visibilité",
        "visibilité_dans_le_catalogue",
        "visibilidad",
        "visibilidad_en_el_catálogo",
        "visibilità",
        "visibilità_nel_catalogo",
        "zichtbaarheid",
        "zichtbaarheid_in_catalogus",
        "zichtbaar",
        "visibilidade",
        "visibilidade_no_catálogo",
        "ativo",
        "widoczność",
        "widoczność_w_katalogu",
        "aktywny",
        "aktywne",
        "opublikowano",
        "opublikowany",
        "publicerad",
        "publiceret",
        "publisert",
        "synlig",
        "synlighet",
        "synlighed",
        "aktivní",
        "publikováno",
    }
)
HIDDEN = frozenset({"hidden", "is_hidden", "draft", "is_draft", "disabled", "is_disabled", "archived", "is_archived"})
# Words of one column. Magento: visibility 1 to 4, status and product_online 1 and 2. WooCommerce: catalog, search.
PLACES = ("catalog", "catalogue", "search", "both", "everywhere", "catalog, search", "catalog/search", "2", "3", "4")
COLUMN_YES = {
    name: frozenset(PLACES) for name in VISIBLE if re.search("visib|sichtbarkeit|zichtbaar|widoczn|synlig", name)
}
COLUMN_NO = {name: frozenset({"2"}) for name in ("status", "product_status", "product_online")}
NOT_WORD = re.compile(r"[\s_-]+")


def column_name(column: str) -> str:
    """Return a column's name in lower case, with _ for spaces and hyphens and without a question mark."""
    return NOT_WORD.sub("_", column.strip().rstrip("?").rstrip().lower())


@lru_cache(maxsize=4096)  # a feed has the same columns in every row
def _meaning(column: str) -> str | None:
    """Return the name of a column of visibility, or None for other columns."""
    name = column_name(column)
    return name if name in VISIBLE or name in HIDDEN else None


def is_visible(record: Mapping[str, Any]) -> bool:
    """Return whether a record's columns of visibility all say that the shop shows the product.

    Columns with other names are ignored. An empty value says nothing: it does not hide the product.

    Raises:
        RowError: a column has an unknown word, and no column hides the product.
    """
    unknown: RowError | None = None
    for column, value in record.items():
        name = _meaning(column)
        if name is None:
            continue
        visibility = _visibility_of(name, value)
        if visibility is False:
            return False
        if visibility is None and not _is_empty(value):
            unknown = unknown or _unknown(column, value)
    if unknown is not None:
        raise unknown
    return True


def _visibility_of(name: str, value: Any) -> bool | None:
    """Return whether the value of a column shows the product, or None if it is empty or unknown."""
    if isinstance(value, list):
        answers = {_visibility_of(name, item) for item in value}
        return False if False in answers else None if None in answers else True
    if isinstance(value, bool):
        visibility: bool | None = value
    elif isinstance(value, int | float):
        visibility = _known(name, f"{value:g}")
    elif isinstance(value, str):
        visibility = _known(name, " ".join(value.split()).strip("\"'").lower())
    else:
        visibility = None
    return visibility if visibility is None or name in VISIBLE else not visibility


def _known(name: str, word: str) -> bool | None:
    if word in COLUMN_NO.get(name, ()) or word in NO:
        return False
    if word in COLUMN_YES.get(name, ()) or word in YES:
        return True
    return _is_past(word) if name.startswith("published") else None


def _is_past(text: str) -> bool | None:
    """Return whether a date of publication has passed, or None if the text is no date."""
    try:
        date = datetime.fromisoformat(text.upper())
    except ValueError:
        return None
    return (date if date.tzinfo is not None else date.replace(tzinfo=UTC)) <= datetime.now(UTC)


def _is_empty(value: Any) -> bool:
    return value is None or value == [] or (isinstance(value, str) and not value.strip())


def _unknown(column: str, value: Any) -> RowError:
    word = repr(value)
    shown = word if len(word) <= MAX_QUOTED else f"{word[:MAX_QUOTED]}…"
    return RowError(
        f"{column} is {shown}, and it is not known whether this shows or hides the product: write yes or no, "
        f"or map the column to another name or ignore it with --mapping"
    )
