"""Every cap of the program in one place."""

from __future__ import annotations

from typing import Final

PAGE_DEFAULT: Final = 100
"""Features in one page when the caller does not say."""
PAGE_MAX: Final = 5_000
"""Most features one page may hold."""
KEY_CHARS_MAX: Final = 100
"""Longest identifier of one feature."""
BODY_BYTES_MAX: Final = 32 * 1024 * 1024
"""Largest HTTP request body in bytes."""
ADDRESS_CHARS_MAX: Final = 500
"""Longest address text taken."""
THEMATIC_ATTRIBUTES_MAX: Final = 200
"""Most attributes a thematic layer may have."""
SNAP_METRES_MAX: Final = 100.0
"""A place further than this from every street cannot be assessed, in metres."""
OUTSIDE_METRES_MAX: Final = 500.0
"""Farthest a point may lie from every grid and still be told its nearest one, in metres."""
LOCATE_ADDRESSES_MAX: Final = 5_000
"""Most rows of one batch that are located by their address."""
ACCURACY_METRES_MAX: Final = 10_000.0
"""Largest accuracy of a position that is worked with, in metres: beyond it a position says nothing about grids."""
OUTSIDE_METRES_CAP: Final = 10_000.0
"""Largest distance a caller may ask for in place of `OUTSIDE_METRES_MAX`, in metres."""
NEAR_BORDER_METRES: Final = 10.0
"""A point this near to its grid's boundary, or within its accuracy, is near the border."""
COVER_SLIVER_M2: Final = 1.0
"""Total gap or overlap a grid layer may have, in square metres."""
DESCRIPTION_CHARS_MAX: Final = 4_000
"""Longest description of a report, and longest note of an update (the limit of GeoReport v2)."""
REASON_CHARS_MAX: Final = 2_000
"""Longest reason a report is given to another grid for."""
QUEUE_PAGE_MAX: Final = 1_000
"""Most reports in one page of the dispatchers' queue."""
LABEL_CHARS_MAX: Final = 200
"""Longest short text: a title, a channel, a token, an update's own number."""
MEDIA_URLS_MAX: Final = 10
"""Most addresses of pictures one report or update may name."""
URL_CHARS_MAX: Final = 2_000
"""Longest address of a picture."""
FORM_BYTES_MAX: Final = 1024 * 1024
"""Largest form an Open311 client may post, in bytes."""
RADIUS_METRES_MAX: Final = 50_000.0
"""Largest circle reports may be asked for in, in metres."""
REQUESTS_PAGE_MAX: Final = 1_000
"""Requests in one Open311 answer (the limit of GeoReport v2)."""
REQUESTS_DEPTH_MAX: Final = 100_000
"""Deepest Open311 page: requests up to and including it. Beyond, dates are the better filter."""
REQUESTS_DAYS_MAX: Final = 90
"""Longest span of days one Open311 question may cover (the limit of GeoReport v2)."""
JOB_INPUT_BYTES_MAX: Final = 2 * 1024**3
"""Largest file sent to a job, in bytes."""
JOB_OUTPUT_BYTES_MAX: Final = 8 * 1024**3
"""Largest file a job may write, in bytes."""
JOB_RESULT_BYTES_MAX: Final = 64 * 1024
"""Longest result facts of a job as JSON, in bytes; anything longer belongs in its file."""
JOB_PARAMS_BYTES_MAX: Final = 1024 * 1024
"""Longest parameters of a job as JSON, in bytes."""
JOBS_QUEUED_MAX: Final = 1_000
"""Jobs that may wait at one time."""
JOB_ATTEMPTS_MAX: Final = 5
"""How often a job is taken up before it is given up: its worker was stopped or killed every time."""
JOB_EVENTS_SECONDS: Final = 10.0
"""How long one request for a job's events is kept open; the client then resumes."""
WEBHOOKS_MAX: Final = 100
"""Webhooks a service may have."""
WEBHOOK_LANES: Final = 4
"""Deliveries of one webhook sent at the same time by one worker."""
WEBHOOK_LANES_TOTAL: Final = 12
"""Deliveries sent at the same time by one worker; failing webhooks get at most half of them."""
WEBHOOK_SECONDS: Final = 15.0
"""How long a receiver may take to answer."""
WEBHOOK_WAIT_MAX: Final = 86_400.0
"""Longest pause a receiver may ask for with Retry-After, in seconds."""
WEBHOOK_ANSWER_BYTES_MAX: Final = 1_024
"""How much of a receiver's answer is read."""
MAPIT_IDS_MAX: Final = 5_000
"""Most areas one MapIt request may name."""
MAPIT_BODY_BYTES_MAX: Final = 128 * 1024
"""Largest form posted to MapIt, in bytes."""
LOCATE_ROWS_MAX: Final = 100_000
"""Most points one request locates at once; more become a job."""
LOCATE_BODY_BYTES_MAX: Final = 1024 * 1024 * 1024
"""Largest table of points (CSV, Parquet) taken over HTTP, in bytes; over `BODY_BYTES_MAX` it becomes a job."""
LOCATE_JOB_ROWS_MAX: Final = 300_000_000
"""Most points one job locates."""
LOCATE_DECODED_BYTES_MAX: Final = 256 * 1024 * 1024
"""Most bytes the rows of one request may have once they are decompressed."""
CIRCLE_NEAREST_MAX: Final = 10
"""Most facilities of one category told for one place."""
CIRCLE_MINUTES_MAX: Final = 12
"""Most different minutes one question about circles may name."""
NEAREST_MAX: Final = 100
"""Most facilities of one category that are looked for from every residence."""
REACH_PAIRS_MAX: Final = 100_000_000
"""Most pairs of places one answer of reach sets may hold (8 bytes each)."""
SITING_CANDIDATES_MAX: Final = 20_000
"""Most candidate sites one question about new sites may have."""
CIRCLE_POINTS_MAX: Final = 10_000
"""Most points (candidates, stations, loudspeakers) one job about circles may be given one by one."""
CIRCLE_SECONDS_MAX: Final = 600.0
"""Longest a job about circles may look for the best choice, in seconds."""
MASK_NODES_MAX: Final = 5_000
"""Most parts (comparisons, attributes, values) a condition over a layer in memory may have."""
FILTER_CHARS_MAX: Final = 16 * 1024
"""Longest CQL2 filter, in characters."""
FILTER_DEPTH_MAX: Final = 100
"""Deepest nesting of a CQL2 filter."""
FILTER_NODES_MAX: Final = 4_000
"""Most parts (conditions, properties, values) of a CQL2 filter."""
FILTER_VERTICES_MAX: Final = 10_000
"""Most vertices of one geometry in a CQL2 filter."""
FEATURE_VERTICES_MAX: Final = 200_000
"""Most vertices of a feature sent to be stored."""
FEATURE_COUNTS_MAX: Final = 2_000
"""Counts of matching features kept for later pages."""
FEATURE_PAGES_BYTES_MAX: Final = 64 * 1024 * 1024
"""Bytes of rendered pages a process keeps for the next to ask the same."""
DOWNLOADS_AT_ONCE: Final = 2
"""Whole layers one process makes files of or sends as text at the same time: each holds a database connection."""
PICTURE_SIDE_MAX: Final = 4_096
"""Widest and highest picture, in pixels."""
PICTURE_PIXELS_MAX: Final = 4_096 * 4_096
"""Most pixels of one picture: 64 MiB while it is drawn."""
PICTURE_LABELS_MAX: Final = 20_000
"""Most labels of one layer that are tried on one picture."""
PICTURE_DPI_MAX: Final = 1_200.0
"""Most dots an inch a picture may be drawn for; the least is `PICTURE_DPI_MIN`."""
PICTURE_DPI_MIN: Final = 10.0
"""Fewest dots an inch a picture may be drawn for."""
WMS_LAYERS_MAX: Final = 40
"""Most layers of one picture."""
WMS_FEATURES_MAX: Final = 1_000
"""Most features a layer tells at one place; a larger FEATURE_COUNT means this."""
WMS_TIMES_MAX: Final = 100
"""Most values of one TIME, and most generations told in a capabilities document."""
WMS_COORDINATE_MAX: Final = 1e9
"""Largest coordinate of a BBOX."""
WMS_BODY_BYTES_MAX: Final = 1024 * 1024
"""Largest request posted to the map service, in bytes."""
XML_BYTES_MAX: Final = 256 * 1024
"""Longest XML document that is read, in bytes."""
XML_DEPTH_MAX: Final = 100
"""Deepest nesting of elements in XML that is read."""
XML_ELEMENTS_MAX: Final = 20_000
"""Most elements of XML that is read."""
SLD_RULES_MAX: Final = 200
"""Most rules a styled layer descriptor may have."""
TILE_FEATURES_MAX: Final = 20_000
"""Most features one layer puts into a vector tile; where more lie, the tile is thinned."""
TILE_BYTES_MAX: Final = 4 * 1024 * 1024
"""Largest vector tile of one layer before compression, in bytes; beyond it the smallest features are left out."""
TILE_LAYERS_MAX: Final = 60
"""Most layers one vector tile may be asked to hold."""
TILE_CACHE_BYTES: Final = 96 * 1024 * 1024
"""Vector tiles a process keeps in memory, in bytes."""
TILE_SECONDS_MAX: Final = 20.0
"""Longest PostGIS may work on one vector tile, in seconds."""
PICTURE_SECONDS_MAX: Final = 60.0
"""Longest a picture may take to draw, in seconds; its drawer is then replaced."""
PICTURES_WAITING_MAX: Final = 32
"""Pictures that may wait for a drawer; more are told to come back."""
PICTURE_REQUEST_BYTES_MAX: Final = 4 * 1024 * 1024
"""Largest order a drawer takes, in bytes."""
PICTURE_BYTES_MAX: Final = 256 * 1024 * 1024
"""Largest picture a drawer may answer, in bytes."""
DRAWER_MEMORY_MAX: Final = 3 * 1024**3
"""Memory a drawer may hold before it is replaced, in bytes."""
COMMENT_CHARS_MAX: Final = 4_000
"""Longest comment on a plan."""
COMMENTS_MAX: Final = 2_000
"""Most comments one plan may have."""
PLAN_NAME_CHARS_MAX: Final = 200
"""Longest name of a plan."""
PLAN_NOTE_CHARS_MAX: Final = 4_000
"""Longest note of a plan or a publication."""
PLAN_SECONDS_MAX: Final = 3_600.0
"""Longest a job may search for a plan, in seconds."""
PLAN_WEIGHT_MAX: Final = 10.0
"""Most a term of the engine's energy may be multiplied by: one far above the others freezes the search."""
PLAN_UNITS_MAX: Final = 200_000
"""Most units a plan made over HTTP may have."""
PUBLISH_AHEAD_DAYS_MAX: Final = 3_660
"""How far ahead a plan may be told to come into force, in days."""
EDIT_OPERATIONS_MAX: Final = 5_000
"""Most operations of one edit of a plan."""
EDITS_PAGE_MAX: Final = 500
"""Most edits told in one answer."""
FIX_GRIDS_MAX: Final = 12
"""Most grids one request evens out among themselves."""
FIX_SECONDS: Final = 8.0
"""How long the engine looks for a better division of a few grids, in seconds."""
SHEET_FEATURES_MAX: Final = 40_000
"""Most buildings one printed map shows beyond its own community."""
SHEET_PIXELS_MAX: Final = 40_000_000
"""Most pixels of a printed sheet as a picture: 160 MiB while it is drawn."""
SHEET_PAGES_MAX: Final = 60
"""Most communities of one atlas asked for over HTTP."""
SHEET_DPI_MAX: Final = 600
"""Most dots an inch of a printed sheet as a picture; the fewest are 36."""
PLACE_NEIGHBOURS_MAX: Final = 400
"""Most outlines one place's answer brings: its neighbours, or a community's grids."""
SURFACE_CELLS_MAX: Final = 1_000_000
"""Most cells of one intensity surface of reports."""
HEAT_REPORTS_MAX: Final = 5_000_000
"""Most reports one question about their heat may look at (about 60 bytes each in memory)."""
HEAT_FRAMES_MAX: Final = 120
"""Most months or weeks one question about heat may be cut into."""
DATABASE_SECONDS_MAX: Final = 120.0
"""Longest wait of the service for a word from the database amid a statement, in seconds; then it gives up."""
