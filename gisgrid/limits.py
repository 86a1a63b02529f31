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
IDEMPOTENCY_HOURS: Final = 24
"""How long the answer to a POST with an Idempotency-Key is kept."""
IDEMPOTENCY_KEY_CHARS_MAX: Final = 200
"""Longest Idempotency-Key."""
IDEMPOTENCY_ANSWER_BYTES_MAX: Final = 1024 * 1024
"""Largest answer that is kept whole; of a larger one only that it was given."""
RATE_PER_SECOND: Final = 300.0
"""Requests a second of one principal or address in one process, where ``GISGRID_RATE_LIMIT`` does not say."""
RATE_BURST_SECONDS: Final = 5.0
"""So many seconds' worth of requests may come at once: a page of the map asks for many tiles in a moment."""
RATE_HOLDERS_MAX: Final = 20_000
"""Principals and addresses whose requests one process counts; of the longest silent ones nothing is kept."""
SIGN_IN_FREE: Final = 5
"""Wrong passwords for one login that cost no waiting."""
SIGN_IN_FREE_ADDRESS: Final = 20
"""Wrong passwords from one address that cost no waiting: a whole office may share one."""
SIGN_IN_WAIT_MAX: Final = 900.0
"""Longest wait after wrong passwords, in seconds; it doubles from one second on."""
SIGN_IN_REMEMBERED: Final = 3_600.0
"""How long a wrong password counts, in seconds."""
SESSIONS_MAX: Final = 20
"""Most sessions of one person; the oldest ends when another begins."""
TOKEN_DAYS: Final = 90
"""How long a token lasts where nobody says, in days."""
TOKEN_DAYS_MAX: Final = 3_660
"""Longest a token lasts that is not said to last for ever, in days."""
USERS_MAX: Final = 5_000
"""Most people."""
TOKENS_MAX: Final = 5_000
"""Most tokens that are neither revoked nor over."""
GRANTS_MAX: Final = 100
"""Most roles one person or token is given."""
PROVIDER_SECONDS: Final = 5.0
"""How long the identity provider may take to answer."""
PROVIDER_BYTES_MAX: Final = 1024 * 1024
"""Longest answer of the identity provider that is read, in bytes."""
HISTORY_PAGE_DEFAULT = 50
HISTORY_PAGE_MAX = 200
"""Entries of the audit log a page."""
SHIFT_ROUNDS_MAX: Final = 30
"""Rounds of the inverse of a shifted system; a handful reach its last digit."""
LOCATE_CELLS_MAX: Final = 1 << 24
"""Most cells of one index (4 bytes each)."""
LOCATE_FOUND_MAX: Final = 4096
"""Most different grids looked at around one point."""
LOCATE_MATCH_MAX: Final = 96
"""Edges of a cell beyond which pairing them up is not worth its square."""
WEBHOOK_URL_CHARS_MAX: Final = 2_000
"""Longest address of a webhook."""
ADDRESS_SETBACK_METRES_MAX: Final = 60.0
"""A door further from its road than this says nothing about where the houses stand."""
ADDRESS_HITS_MAX: Final = 100
"""Most answers to one question."""
ADDRESS_WITHIN_METRES_MAX: Final = 2_000.0
"""Farthest an address may lie from a point and still be told as near it, in metres."""
ADDRESS_ROWS_SCORED_MAX: Final = 400_000
"""Most rows of a gazetteer one question compares letter by letter."""
POINTS_OPEN_QUOTE_BYTES_MAX: Final = 1 << 16
"""Bytes a quoted field that runs over a line end may have; beyond, its quote counts as never closed."""
POINTS_HEAD_BYTES_MAX: Final = 1 << 20
"""How far the list of features may lie from the start of a file, in bytes."""
POINTS_ROW_BYTES_MAX: Final = 32 << 20
"""Longest row taken."""
ADDRESS_ALIASES_MAX: Final = 100_000
"""Most nicknames the address search takes."""
SOCKET_PATH_BYTES_MAX: Final = 90
"""The kernel allows 107 bytes; the socket file name takes 14."""
SERVICE_COUNT_MAX: Final = 1_000
"""Most sites one question may ask for."""
SERVICE_RADIUS_METRES_MAX: Final = 20_000.0
"""Largest circle drawn straight around a place, in metres."""
SERVICE_SHOWN_MAX: Final = 100
"""Most sites told among the facts of a job; its file has them all."""
JOB_NOTE_CHARS_MAX: Final = 200
"""Longest note of a job about what is being done."""
FEATURE_DEPTH_MAX: Final = 60
"""Deepest nesting of a feature sent to be stored."""
FEATURE_SORTS_MAX: Final = 5
"""Most properties a page of features may be sorted by."""
DRAWER_PATH_BYTES_MAX: Final = 100
"""A Unix socket's path may have no more."""
DRAWER_AGAIN_SECONDS_MAX: Final = 5.0
"""Longest pause before a drawer that ends at once is started again, in seconds."""
CRS_CHARS_MAX: Final = 40
"""Longest name of a coordinate system."""
MOVED_LISTED_MAX: Final = 1_000
"""Reports listed in the JSON answer; ``--out`` has them all."""
FORM_FIELDS_MAX: Final = 500
"""Most fields of a form."""
HEAT_SIDE_MAX: Final = 1_024
"""Widest and highest picture of heat, in pixels."""
HEAT_SEED_MAX: Final = 2**31 - 1
"""Largest seed."""
HEAT_VALUES_MAX: Final = 200
"""Most classes or grids one question may name."""
HELD_LAYERS_MAX: Final = 1_000
"""Layers held, however small."""
LABEL_DRAWN_CHARS_MAX: Final = 60
"""Longer texts are cut: a map is no page."""
SHEET_SCALE_MAX: Final = 250_000
"""Smallest scale of a printed sheet, as the number under the one."""
CURSOR_CHARS_MAX: Final = 8_000
"""Longest key of a page to go on from."""
SERVICE_NEAREST_MAX: Final = 20
"""Most facilities of a category that may be told for each residence."""
RASTER_CELLS_MAX: Final = 12_000_000
"""Most cells of a snap raster; larger places get larger cells."""
CIRCLE_METRES_MAX: Final = 20_000.0
"""Furthest a category may be asked to reach, in metres."""
REACH_METRES_MAX: Final = 100_000.0
"""Farthest around an area that streets are read, whatever the speed."""
PROFILE_MINUTES_MAX: Final = 120.0
"""Longest journey a circle may be asked for, in minutes."""
PROFILE_SPEED_MAX: Final = 60.0
"""Fastest speed a profile may be given, m/s."""
DIAL_BUCKETS_MAX: Final = 4096
"""Where one edge is longer than this many buckets, buckets are made wider."""
SITING_ROUNDS_MAX: Final = 2_000
"""Exchanges tried at most; each makes the choice better, so few are ever needed."""
RESPONSE_CELLS_MAX: Final = 3_000_000
"""Most cells of the raster of districts; larger places get larger cells."""
RESPONSE_TURNOUT_SECONDS_MAX: Final = 1800.0
"""Longest time a team may take to set out, in seconds."""
NETWORK_MEMBER_BYTES_MAX: Final = 4 * 1024**3
"""Largest array a saved network may unpack to: nothing smaller than a bomb comes near it."""
PLAN_LEVELS_MAX: Final = 8
"""Most levels of a plan."""
POOL_NODES_MAX: Final = 3000
"""Branch-and-bound nodes after which HiGHS gives what it has (a count, unlike seconds, is the same on every run)."""
POOL_ROUNDS_MAX: Final = 8
"""Rounds of finding grids for the pool and choosing among them."""
EXACT_NODES_MAX: Final = 20_000_000
"""Sets tried with the prices of the linear program; then the best known stands unproven."""
TOGETHER_UNITS_MAX: Final = 4000
"""Larger pieces keep their cells: a search of the whole takes too long, and crossings must stay rare there."""
ATOMS_MAX: Final = 128
"""Atoms a set can be made of: two words of bits."""
RECOMBINE_UNITS_MAX: Final = 6000
"""Two grids with more units than this together are left to the small moves: a tree of them takes too long."""
STRAIGHT_PIECES_MAX: Final = 1_200
"""Most pieces an area is divided into."""
STRAIGHT_LATTICE_MAX: Final = 40_000
"""Most places tried for an area."""
STRAIGHT_SAMPLE_MAX: Final = 1_500
"""Points of an area whose least cover bounds that of the whole from below."""
STRAIGHT_ENTRIES_MAX: Final = 20_000_000
"""Most (place, point) pairs of an exact problem; beyond, only the points themselves are candidates."""
STRAIGHT_NEIGHBOURS_MAX: Final = 40_000_000
"""Most pairs of points whose circles cross."""
STRAIGHT_SECONDS_MAX: Final = 3600.0
"""Longest time a straight way may be asked for, in seconds."""
OSM_COMPOUND_M2_MAX: Final = 500_000.0
"""A residential ground larger than this is a quarter, not a compound 小区."""
OSM_DWELLING_M2_MAX: Final = 2_500.0
"""building=yes with nothing else known and a larger footprint is taken for commerce, not dwellings."""
ARCHIVE_ENTRIES_MAX: Final = 1_000
"""Most entries a zip archive that is taken in may have."""
ARCHIVE_BYTES_MAX: Final = 8 * 1024**3
"""Most bytes the map files of a zip archive may unfold to."""
ARCHIVE_RATIO_MAX: Final = 200
"""How many times its own size an archive may unfold to, once that is over `ARCHIVE_RATIO_FROM_BYTES`."""
ARCHIVE_RATIO_FROM_BYTES: Final = 64 * 1024**2
"""Below this many bytes an archive may be packed as tightly as it likes: tables padded with blanks are."""
READ_MEMORY_BYTES_MIN: Final = 1024**3
"""Memory any file may be opened with, in bytes, in the child that opens it."""
READ_MEMORY_FACTOR: Final = 12
"""Beyond `READ_MEMORY_BYTES_MIN`: memory a file may be opened with, in times its size."""
READ_MEMORY_BYTES_MAX: Final = 16 * 1024**3
"""Most memory a file may be opened with, in bytes."""
READ_SECONDS_MAX: Final = 1_800
"""Longest a file may take to open and read, in seconds."""
READ_ANSWER_BYTES_MAX: Final = 1 << 20
"""Longest answer of the child that opens files, in bytes: what it read lies in files."""
READ_ORDER_BYTES_MAX: Final = 1 << 16
"""Longest order given to that child, in bytes."""
ENTRY_NAME_BYTES_MAX: Final = 200
"""Longest name of an entry of an archive, in bytes."""
UPLOAD_MEMORY_BYTES_MAX: Final = 1024**3
"""Memory a table sent to be located at once may be opened with, in bytes."""
UPLOAD_SECONDS_MAX: Final = 30
"""Longest such a table may take to open, in seconds."""
JOB_MEMORY_BYTES_MAX: Final = 12 * 1024**3
"""Memory of its own the process of a job may hold, in bytes."""
JSON_VALUES_MAX: Final = 4_000_000
"""Most values (by its commas and brackets) a body of JSON may have: each takes fifty bytes and more in memory."""
TABLE_COLUMNS_MAX: Final = 2_000
"""Most columns a table of points may have."""
BODIES_AT_ONCE: Final = 10
"""Bodies a process receives at the same time; the rest of its 16 threads stays with those who send none."""
CONNECTIONS_MAX: Final = 1_000
"""Connections a process of the server keeps open. Browsers hold six each without asking anything: it is no bound of
the work at hand, which threads and the gate are; further ones wait until one is closed."""
BODY_SECONDS_MIN: Final = 20.0
"""Any body may take this long to arrive, in seconds."""
BODY_BYTES_A_SECOND: Final = 16 * 1024
"""Beyond `BODY_SECONDS_MIN` a body has to come this fast, in bytes a second."""
DATABASE_SECONDS_MAX: Final = 120.0
"""Longest wait of the service for a word from the database amid a statement, in seconds; then it gives up."""

SECRET_CHARS_MAX: Final = 200
"""Longest token, key or cookie that is looked at; more of it is left unread."""
HISTORY_SEQ_MAX: Final = 2**63 - 1
"""Largest number of an entry of the audit log."""
ACTOR_CHARS_MAX: Final = 500
"""Longest name, reason or origin written into the audit log."""
SERVER_DEATHS_MAX: Final = 30
"""Processes of a server that may die within a minute before the server gives up."""
