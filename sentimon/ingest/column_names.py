"""The usual names of columns, in English, Italian, Spanish, French, German and Portuguese.

Case, accents, blanks, `_` and `-` make no difference: `Created At`, `created-at` and `createdAt` are one
name. In each list the more certain names come first.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Sequence

from sentimon.ingest.cells import plain_letters

TIME_COLUMNS = (
    "timestamp", "time", "datetime", "date", "created_at", "created", "date_time", "published_at",
    "posted_at", "submitted_at", "published", "when", "event_time", "review_time", "review_date",
    "tweet_created", "date_created", "creation_date", "created_time", "created_on", "created_date", "ts",
    "created_utc", "published_date",
    "data_ora", "data_e_ora", "data", "ora", "orario", "data_recensione", "data_creazione",
    "data_pubblicazione", "marca_temporale", "informazioni_cronologiche", "creato_il",
    "fecha_hora", "fecha_y_hora", "fecha", "hora", "fecha_creacion", "creado_en",
    "date_heure", "date_et_heure", "heure", "horodatage", "horodateur", "cree_le",
    "zeitstempel", "zeitpunkt", "datum_zeit", "datum_uhrzeit", "datum", "zeit", "uhrzeit", "erstellt_am",
    "data_hora", "data_e_hora", "carimbo_de_data", "data_criacao", "criado_em",
)  # fmt: skip
"""Names of a column that says when a row happened."""

TEXT_COLUMNS = (
    "text", "sentence", "tweet", "content", "review", "review_text", "comment", "comment_text", "message",
    "body", "full_text", "tweet_text", "review_body", "reviewtext", "post", "feedback", "document",
    "utterance", "description", "review_content", "comments", "tweets", "text_display", "text_original",
    "testo", "frase", "recensione", "commento", "messaggio", "contenuto",
    "texto", "reseña", "opinión", "mensaje", "contenido",
    "texte", "phrase", "avis", "commentaire", "contenu", "critique",
    "satz", "rezension", "bewertungstext", "kommentar", "nachricht", "inhalt",
    "resenha", "avaliação", "comentário", "mensagem", "conteúdo",
)  # fmt: skip
"""Names of a column of texts to classify."""

ID_COLUMNS = (
    "id", "row_id", "tweet_id", "review_id", "comment_id", "message_id", "text_id", "post_id", "doc_id",
    "document_id", "record_id", "uuid", "guid", "id_recensione", "id_commento", "id_messaggio", "id_riga",
    "id_reseña", "id_avis", "identifiant", "identificador", "identificativo", "kennung",
)  # fmt: skip
"""Names of a column that identifies a row."""

LABEL_COLUMNS = (
    "label", "labels", "sentiment", "feeling", "gold", "gold_label", "gold_sentiment", "true_label",
    "target", "annotation", "polarity", "class", "airline_sentiment",
    "etichetta", "sentimento", "polarità", "annotazione", "classe",
    "etiqueta", "sentimiento", "polaridad", "clase", "étiquette", "polarité",
    "klasse", "stimmung", "rótulo", "polaridade",
)  # fmt: skip
"""Names of a column of classes; star ratings are apart, see RATING_COLUMNS."""

RATING_COLUMNS = (
    "stars", "star", "star_rating", "rating", "ratings", "review_rating", "score", "grade",
    "review_stars", "overall", "overall_rating",
    "stelle", "voto", "valutazione", "punteggio", "estrellas", "puntuación", "calificación", "valoración",
    "étoiles", "note", "sterne", "bewertung", "estrelas", "nota", "pontuação",
)  # fmt: skip
"""Names of a column of star ratings or marks, which are classes only by `--labels` or `--label-map`."""

MODEL_COLUMNS = (
    "model", "model_name", "model_id", "classifier", "modello", "modelo", "modèle", "modell",
    "classificatore", "clasificador", "classificador",
)  # fmt: skip
"""Names of a column that says which model scored a row."""

_ALIKE = re.compile(r"[\s_-]+")


def plain_name(name: str) -> str:
    """Return a column's name as it is compared: one `_` for blanks, `_` and `-`, none around it.

    >>> plain_name(" Créé-Le")
    'cree_le'
    """
    return _ALIKE.sub("_", plain_letters(name)).strip("_")


def is_usual_name(name: str, names: Iterable[str]) -> bool:
    """Return whether `name` is one of `names`, one of the lists here.

    >>> is_usual_name("Data Ora", TIME_COLUMNS)
    True
    """
    joined = _joined(name)
    return any(joined == _joined(one) for one in names)


def usual_columns(columns: Sequence[str], names: Iterable[str]) -> list[str]:
    """Return those of `columns` that have one of `names`, in the order of `names`.

    >>> usual_columns(["id", "Review", "TEXT"], TEXT_COLUMNS)
    ['TEXT', 'Review']
    """
    places = {_joined(one): at for at, one in reversed(list(enumerate(names)))}
    found = [name for name in columns if _joined(name) in places]
    return sorted(found, key=lambda name: places[_joined(name)])


# Each file asks for the same few hundred names; to take the accents off them takes longer than to open it.
@functools.lru_cache(maxsize=2048)
def _joined(name: str) -> str:
    """Return a name without what separates its words, so that `createdAt` is `created_at`."""
    return plain_name(name).replace("_", "")
