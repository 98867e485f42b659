// SPDX-License-Identifier: EUPL-1.2
#include "client/station/training.h"

#include <algorithm>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "client/station/station.h"
#include "client/station/visitor.h"

namespace waarborg::station {
namespace {

constexpr char kCookie[] = "__Host-oefenen";

enum class Is { kNotBanned, kBanned, kExpected, kCannotCheck };

// The people. Their dates and measures lie so far ahead that nothing expires under an exercise.
struct Invented {
  const char* given;  // empty: identity unknown
  const char* surname;
  int year, month, day;
  Is is;
  pb::Measure measure;
  bool provisional;
  bool has_until;
  bool photo;
  const char* description;  // Dutch, of an unknown identity
  std::optional<Exercise> exercise;
};
const Invented kPeople[] = {
    {"Vera", "Vink", 1985, 3, 12, Is::kNotBanned, pb::MEASURE_UNSPECIFIED, false, false, false, "",
     Exercise::kClear},
    {"Karel", "Kievit", 1979, 7, 4, Is::kBanned, pb::MEASURE_ACCESS_BAN, false, true, true, "",
     Exercise::kBanned},
    {"Rik", "Reiger", 1990, 11, 23, Is::kBanned, pb::MEASURE_TIME_OUT, false, true, false, "",
     Exercise::kTimeOut},
    {"", "", 0, 0, 0, Is::kBanned, pb::MEASURE_PROVISIONAL, false, true, false,
     T("Man van ongeveer veertig jaar, groene jas, gele pet, loopt met een stok"), Exercise::kDescription},
    {"Meta", "Mees", 1968, 1, 15, Is::kBanned, pb::MEASURE_PROVISIONAL, true, false, false, "",
     Exercise::kDenied},
    {"Els", "Esdoorn", 1992, 9, 9, Is::kBanned, pb::MEASURE_ACCESS_BAN, false, true, true, "", std::nullopt},
    {"Elze", "Esdoorn", 1992, 9, 9, Is::kBanned, pb::MEASURE_ACCESS_BAN, false, true, true, "", std::nullopt},
    {"Sanne", "Spreeuw", 1971, 5, 30, Is::kCannotCheck, pb::MEASURE_UNSPECIFIED, false, false, false, "",
     Exercise::kUnknown},
    {"Hein", "Havik", 1983, 2, 17, Is::kExpected, pb::MEASURE_ACCESS_BAN, false, true, false, "",
     Exercise::kExpected},
};
constexpr int kMaxDemands = 3;

constexpr ExerciseText kExercises[] = {
    {Exercise::kClear, T("Controleer deze bezoeker:"), "Vera Vink 12-03-1985",
     T("U ziet ‘Geen verbod gevonden’. Help de bezoeker.")},
    {Exercise::kBanned, T("Controleer deze bezoeker:"), "Karel Kievit 04-07-1979",
     T("U ziet ‘Toegangsverbod’. Blijf rustig en lees de stappen.")},
    {Exercise::kPhoto, T("Toon de foto van Karel Kievit"), nullptr,
     T("U ziet een tekening, 30 seconden lang. Bekijk een foto alleen om zeker te weten wie voor u staat.")},
    {Exercise::kDemand, T("Vorder Karel Kievit te vertrekken"), nullptr,
     T("Lees de vordering voor en raak ‘Eerste vordering’ aan. Gaat hij, raak dan ‘Vertrokken’ aan.")},
    {Exercise::kTimeOut, T("Controleer deze bezoeker:"), "Rik Reiger 23-11-1990",
     T("U ziet ‘Time-out’. De stappen zijn dezelfde; het geldt alleen op deze locatie.")},
    {Exercise::kDescription, T("Open in de lijst de man met de groene jas"), nullptr,
     T("U ziet ‘Signalement’: wie hij is weten we niet. Hij mag niet naar binnen zolang dat niet "
       "vaststaat.")},
    {Exercise::kDenied, T("Open in de lijst Meta Mees"), nullptr,
     T("U ziet ‘Directe ontzegging’: ter plekke ontzegd, het besluit volgt nog. De stappen zijn dezelfde.")},
    {Exercise::kNearMiss, T("Controleer deze bezoeker, die zijn naam zo zegt:"), "Carel Kievit 04-07-1979",
     T("U ziet ‘Mogelijke overeenkomst’. Weiger nog niemand en vraag om een document. Er staat Carel op: "
       "kies ‘Geen van deze’.")},
    {Exercise::kTwins, T("Controleer deze bezoeker:"), "Esdoorn 09-09-1992",
     T("U ziet een tweeling. Achternaam en datum zeggen niet wie het is; alle voornamen op het document "
       "wel.")},
    {Exercise::kUnknown, T("Controleer deze bezoeker:"), "Sanne Spreeuw 30-05-1971",
     T("U ziet ‘Controle niet mogelijk’. Dat zegt niets over de bezoeker: help haar, en bel bij twijfel.")},
    {Exercise::kExpected, T("Controleer deze bezoeker:"), "Hein Havik 17-02-1983",
     T("U ziet ‘Verwacht op afspraak’. Ontvang hem vriendelijk en bel wie hem begeleidt.")},
    {Exercise::kDeny, T("Ontzeg iemand ter plekke de toegang"), nullptr,
     T("Raak ‘Directe ontzegging’ aan. Dat geldt meteen; wat u weet vult u daarna in, als het rustig is.")},
    {Exercise::kBriefing, T("Loop de briefing door"), nullptr,
     T("U ziet één persoon tegelijk, aan het begin van uw dienst.")},
};
static_assert(std::size(kExercises) == static_cast<size_t>(Exercise::kCount));

std::string IdOf(int number) {
  return absl::StrCat("OEFEN-", number);
}

// From 1; 0 when nobody has this id.
int NumberOf(const std::string& ban) {
  for (int i = 1; i <= static_cast<int>(std::size(kPeople)); ++i) {
    if (ban == IdOf(i)) return i;
  }
  return 0;
}

const Invented& Number(int number) {
  return kPeople[number - 1];
}

pb::Match MatchOf(int number, const Words& words) {
  const Invented& who = Number(number);
  pb::Match m;
  m.set_ban_id(IdOf(number));
  m.mutable_name()->set_given_names(who.given);
  m.mutable_name()->set_surname(who.surname);
  m.set_measure(who.measure);
  m.set_provisional(who.provisional);
  m.set_photo_available(who.photo);
  if (*who.description != '\0') m.set_description(words.Say(who.description));
  if (who.has_until) {
    m.mutable_until()->set_year(2199);
    m.mutable_until()->set_month(12);
    m.mutable_until()->set_day(31);
  }
  for (const char* step : {T("Spreek betrokkene rustig aan en vraag het gebouw te verlaten."),
                           T("Bel de interne hulpverlening. In de oefening belt u niemand."),
                           T("Vorder tot drie keer toe te vertrekken; bel bij weigering de politie. In de "
                             "oefening belt u niemand.")}) {
    m.add_steps(words.Say(step));
  }
  return m;
}

// "Els  ESDOORN" is "els esdoorn".
std::string Folded(std::string text) {
  absl::RemoveExtraAsciiWhitespace(&text);
  absl::AsciiStrToLower(&text);
  return text;
}

bool SameDate(const pb::Date& date, const Invented& who) {
  return date.year() == who.year && date.month() == who.month && date.day() == who.day;
}

}  // namespace

std::span<const ExerciseText> Exercises() {
  return kExercises;
}

std::string Progress::Text() const {
  return absl::StrCat(absl::Hex(done), ".", person, ".", demands, ".", police ? 1 : 0);
}

Progress Progress::Read(std::string_view text) {
  const std::vector<std::string> parts = absl::StrSplit(absl::string_view(text.data(), text.size()), '.');
  Progress out;
  int police = 0;
  constexpr uint32_t all = (uint32_t{1} << static_cast<int>(Exercise::kCount)) - 1;
  if (parts.size() != 4 || !absl::SimpleHexAtoi(parts[0], &out.done) || out.done > all ||
      !absl::SimpleAtoi(parts[1], &out.person) || out.person < 0 ||
      out.person > static_cast<int>(std::size(kPeople)) || !absl::SimpleAtoi(parts[2], &out.demands) ||
      out.demands < 0 || out.demands > kMaxDemands || !absl::SimpleAtoi(parts[3], &police) || police < 0 ||
      police > 1) {
    return {};
  }
  out.police = police == 1;
  return out;
}

Lesson CheckInTraining(const pb::CheckVisitorRequest& request, const Words& words) {
  Lesson out;
  const std::string typed = Folded(request.typed().full_name());
  const std::vector<std::string> parts = absl::StrSplit(typed, ' ');
  std::vector<int> namesakes;
  int exact = 0;
  for (int i = 1; i <= static_cast<int>(std::size(kPeople)); ++i) {
    const Invented& who = Number(i);
    if (*who.surname == '\0' || parts.back() != Folded(who.surname)) continue;
    namesakes.push_back(i);
    if (typed == Folded(absl::StrCat(who.given, " ", who.surname)) &&
        SameDate(request.typed().birth_date(), who))
      exact = i;
  }
  if (namesakes.empty()) return out;
  const Invented& who = Number(exact != 0 ? exact : namesakes[0]);
  out.kind = Lesson::Kind::kAnswer;
  if (who.is == Is::kCannotCheck) {
    out.kind = Lesson::Kind::kCannotCheck;
    out.did = who.exercise;
  } else if (who.is == Is::kNotBanned) {
    out.response.set_answer(pb::CHECK_ANSWER_NO_BAN_FOUND);
    out.did = who.exercise;
  } else if (exact != 0) {
    if (who.is == Is::kExpected) out.kind = Lesson::Kind::kExpected;
    out.response.set_answer(pb::CHECK_ANSWER_BANNED);
    *out.response.add_matches() = MatchOf(exact, words);
    out.did = who.exercise;
  } else {
    // As at the desk: what does not fit wholly is a possible match, never a ban.
    out.response.set_answer(pb::CHECK_ANSWER_POSSIBLE);
    for (const int i : namesakes) *out.response.add_matches() = MatchOf(i, words);
    if (namesakes.size() > 1) {
      out.did = Exercise::kTwins;
    } else if (who.exercise == Exercise::kBanned) {
      out.did = Exercise::kNearMiss;
    }
  }
  return out;
}

Lesson OpenInTraining(const std::string& ban, const Progress& progress, const Words& words) {
  Lesson out;
  const int number = NumberOf(ban);
  if (number == 0 || Number(number).measure == pb::MEASURE_UNSPECIFIED) return out;
  out.kind = Number(number).is == Is::kExpected ? Lesson::Kind::kExpected : Lesson::Kind::kAnswer;
  out.response.set_answer(pb::CHECK_ANSWER_BANNED);
  pb::Match& match = *out.response.add_matches();
  match = MatchOf(number, words);
  if (const auto breach = BreachInTraining(ban, progress)) *match.mutable_breach() = *breach;
  out.did = Number(number).exercise;
  return out;
}

bool TouchInTraining(const std::string& ban, const std::string& code, Progress& progress) {
  const auto touch = TouchOf(code);
  const int number = NumberOf(ban);
  if (!touch || number == 0) return false;
  if (progress.person != number) {
    progress.person = number;
    progress.demands = 0;
    progress.police = false;
  }
  if (touch->ends) {
    progress.person = progress.demands = 0;
    progress.police = false;
    progress.Do(Exercise::kDemand);
  } else if (touch->step == pb::DEMAND_STEP_POLICE_CALLED) {
    progress.police = true;
  } else {
    progress.demands = std::max(progress.demands, static_cast<int>(touch->step));
  }
  return true;
}

std::optional<pb::OpenBreach> BreachInTraining(const std::string& ban, const Progress& progress) {
  if (progress.person == 0 || progress.person != NumberOf(ban)) return std::nullopt;
  pb::OpenBreach out;
  out.set_demands(progress.demands);
  out.set_police_called(progress.police);
  if (progress.demands < kMaxDemands) out.add_next(static_cast<pb::DemandStep>(progress.demands + 1));
  if (!progress.police) out.add_next(pb::DEMAND_STEP_POLICE_CALLED);
  out.add_next(pb::DEMAND_STEP_LEFT);
  out.add_next(pb::DEMAND_STEP_REMOVED);
  return out;
}

pb::WatchDeskResponse ListInTraining(const Words& words) {
  pb::WatchDeskResponse out;
  for (int i = 1; i <= static_cast<int>(std::size(kPeople)); ++i) {
    if (Number(i).measure != pb::MEASURE_UNSPECIFIED) *out.add_bans() = MatchOf(i, words);
  }
  return out;
}

std::string FaceInTraining(const std::string& ban, const Words& words) {
  const int number = NumberOf(ban);
  if (number == 0) return "";
  // A few strokes: hair and shirt differ, so that twins are told apart by no face.
  constexpr const char* kHair[] = {"#3b2a20", "#c58a3d", "#7a7f86", "#8a3b22"};
  constexpr const char* kShirt[] = {"#6d2a8c", "#2b6ea8", "#2f7d4f", "#b0562c"};
  const bool twins = absl::string_view(Number(number).surname) == "Esdoorn";
  const auto of = [&](const auto& colours) { return colours[twins ? 1 : number % 4]; };
  return absl::StrCat(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 413 531\" width=\"413\" height=\"531\">"
      "<rect width=\"413\" height=\"531\" fill=\"#f6ebfb\"/>"
      "<path d=\"M40 531c0-130 70-170 166-170s167 40 167 170z\" fill=\"",
      of(kShirt),
      "\" stroke=\"#222\" stroke-width=\"7\"/>"
      "<ellipse cx=\"206\" cy=\"230\" rx=\"112\" ry=\"142\" fill=\"#fff4e6\" stroke=\"#222\" "
      "stroke-width=\"7\"/>"
      "<path d=\"M92 220c-8-110 50-160 114-160s122 50 114 160c-26-66-60-88-114-88s-88 22-114 88z\" fill=\"",
      of(kHair),
      "\" stroke=\"#222\" stroke-width=\"7\" stroke-linejoin=\"round\"/>"
      "<g fill=\"none\" stroke=\"#222\" stroke-width=\"7\" stroke-linecap=\"round\"><path d=\"M152 "
      "214h28M232 214h28\"/>"
      "<path d=\"M206 236l-14 42h24M160 312q46 32 92 0\"/></g><circle cx=\"166\" cy=\"236\" r=\"9\"/><circle "
      "cx=\"246\" cy=\"236\" r=\"9\"/>"
      "<text x=\"206\" y=\"500\" text-anchor=\"middle\" font-family=\"sans-serif\" font-weight=\"700\" "
      "font-size=\"58\" letter-spacing=\"6\" "
      "fill=\"#fff\" stroke=\"#222\" stroke-width=\"8\" paint-order=\"stroke\">",
      words.Say("OEFENEN"), "</text></svg>");
}

DeskPlace PlaceInTraining(const Words& words) {
  DeskPlace out;
  out.location.set_name(words.Say("Oefenlocatie"));
  out.location.set_max_demands(kMaxDemands);
  out.demand = words.Say("Dit is een oefening. U mag hier niet zijn. Ik vorder u dit gebouw nu te verlaten.");
  return out;
}

namespace {

// ---- The pages. Each on a visit in which nobody sits, so that none of them can ask the core anything in
// somebody's name.

class Training {
 public:
  explicit Training(Visit& asked) : v(asked.station, asked.request, asked.words, nullptr) {
    v.training = true;
    if (const auto it = asked.request.cookies.find(kCookie); it != asked.request.cookies.end())
      progress = Progress::Read(it->second);
  }

  // The exercises, and which of them are done.
  View Tasks() const {
    View tasks;
    tasks.Set("next", false);
    std::vector<View> rows;
    int done = 0;
    bool next = true;
    for (const ExerciseText& e : kExercises) {
      const bool is = progress.Has(e.exercise);
      done += is ? 1 : 0;
      View row;
      row.Set("task", v.Say(e.task))
          .Set("typed", e.typed == nullptr ? "" : e.typed)
          .Set("should", v.Say(e.should));
      row.Set("done", is).Set("next", !is && next).Set("briefing", e.exercise == Exercise::kBriefing);
      if (!is && next) tasks.Set("next", row);
      if (!is) next = false;
      rows.push_back(std::move(row));
    }
    tasks.Set("rows", rows).Set("all", done == static_cast<int>(std::size(kExercises)));
    tasks.Set("count", v.Say("{done} van {all} gedaan",
                             {{"done", absl::StrCat(done)}, {"all", absl::StrCat(std::size(kExercises))}}));
    return tasks;
  }

  Response Remembered(Response out) const {
    out.headers.emplace_back("Set-Cookie", Cookie(kCookie, progress.Text()));
    return out;
  }

  Response Desk(std::optional<View> answer, const std::string& query = "", const std::string& wrong = "") {
    View view;
    view.Set("exercises", Tasks()).Set("wrong", false);
    if (answer) view.Set("answer", *answer);
    if (v.fragment() && answer) return Remembered(v.Fragment("training_answer", std::move(view)));
    view.Set("list", DeskListView(ListInTraining(v.words), v.words, v.root()));
    return Remembered(DeskPage(v, std::move(view), query, wrong));
  }

  // What was typed is none of the exercises, or cannot be read.
  Response Wrong(const std::string& typed, const std::string& why) {
    if (!v.fragment()) return Desk(std::nullopt, typed, why);
    View view;
    view.Set("exercises", Tasks()).Set("answer", false).Set("wrong", why);
    return Remembered(v.Fragment("training_answer", std::move(view)));
  }

  Response Answer(const Lesson& lesson, const std::string& typed = "") {
    if (lesson.did) progress.Do(*lesson.did);
    View answer;
    switch (lesson.kind) {
      case Lesson::Kind::kUnknownName: {
        const std::string why = v.Say(
            "Deze naam hoort niet bij de oefening, en hier wordt niemand echt gecontroleerd. Staat er een "
            "bezoeker voor u? Ga naar de balie.");
        return Wrong(typed, why);
      }
      case Lesson::Kind::kCannotCheck:
        return Desk(DeskAnswer({}, place, v.words));
      case Lesson::Kind::kExpected:
        return Desk(Expected(lesson.response.matches(0)));
      case Lesson::Kind::kAnswer:
        answer = DeskAnswer(lesson.response, place, v.words);
        // Nobody is called by accident.
        answer.Set("numbers", false);
        return Desk(std::move(answer));
    }
    return Desk(std::nullopt);
  }

  View Expected(const pb::Match& m) const {
    View answer, person, appointment;
    answer.Set("kind", "expected").Set("expected", true).Set("ban_id", m.ban_id()).Set("numbers", false);
    answer.Set("person", person.Set("name", FullName(m.name())).Set("description", false));
    std::vector<View> steps;
    for (const char* step : {T("Ontvang de bezoeker en vraag even te wachten."),
                             T("Bel de begeleider. In de oefening belt u niemand."),
                             T("De begeleider loopt mee naar de balie van de afspraak.")}) {
      steps.push_back(View().Set("text", v.Say(step)));
    }
    answer.Set("steps", steps);
    appointment.Set("time", "10:00")
        .Set("counter", v.Say("balie 3"))
        .Set("reason", v.Say("paspoort aanvragen"));
    appointment.Set("margin", v.Say("Van een kwartier ervoor tot een kwartier erna."));
    return std::move(answer.Set("appointment", appointment));
  }

  Response Photo(const std::string& ban) {
    progress.Do(Exercise::kPhoto);
    View photo;
    photo.Set("ban_id", ban)
        .Set("seconds", "30")
        .Set("path", absl::StrCat("/training/face/", ban))
        .Set("large", false);
    if (v.fragment()) return Remembered(v.Fragment("desk_photo", std::move(photo)));
    const Lesson lesson = OpenInTraining(ban, progress, v.words);
    if (lesson.kind != Lesson::Kind::kAnswer) return Response::Redirect("/training");
    View answer = DeskAnswer(lesson.response, place, v.words);
    answer.Set("numbers", false).Set("photo", photo);
    return Desk(std::move(answer));
  }

  Visit v;
  Progress progress;
  const DeskPlace place = PlaceInTraining(v.words);
};

Response Show(Visit& asked) {
  return Training(asked).Desk(std::nullopt);
}

Response Check(Visit& asked) {
  Training t(asked);
  pb::CheckVisitorRequest request;
  const std::string typed = t.v.Field("visitor");
  if (const std::string wrong = ReadVisitor(typed, request); !wrong.empty())
    return t.Wrong(typed, t.v.Say(wrong));
  return t.Answer(CheckInTraining(request, t.v.words), typed);
}

Response Open(Visit& asked) {
  Training t(asked);
  return t.Answer(OpenInTraining(t.v.Field("ban_id"), t.progress, t.v.words));
}

Response Photo(Visit& asked) {
  Training t(asked);
  return t.Photo(t.v.Field("ban_id"));
}

Response Match(Visit& asked) {
  Training t(asked);
  const std::string what = t.v.Field("do");
  if (what == "photo") return t.Photo(t.v.Field("ban_id"));
  if (what == "confirm") return t.Answer(OpenInTraining(t.v.Field("ban_id"), t.progress, t.v.words));
  return t.Desk(std::move(View().Set("kind", "clear").Set("clear", true).Set("told_apart", true)));
}

Response Log(Visit& asked) {
  Training t(asked);
  const std::string ban = t.v.Field("ban_id"), code = t.v.Field("event");
  if (!TouchInTraining(ban, code, t.progress)) return Response::Redirect("/training");
  const bool ended = TouchOf(code)->ends;
  if (t.v.fragment()) {
    const auto breach = BreachInTraining(ban, t.progress);
    View log = DeskLogView(ban, breach ? &*breach : nullptr, t.place, t.v.words);
    log.Set("ended", ended);
    return t.Remembered(t.v.Fragment("desk_log", std::move(log)));
  }
  if (ended) return t.Desk(std::nullopt);
  return t.Answer(OpenInTraining(ban, t.progress, t.v.words));
}

Response Deny(Visit&) {
  return Response::Redirect("/training/denial");
}

Response ShowDenial(Visit& asked) {
  Training t(asked);
  return DenialPage(t.v, "OEFEN");
}

// What was filled in is kept nowhere.
Response FillInDenial(Visit& asked) {
  Training t(asked);
  t.progress.Do(Exercise::kDeny);
  return t.Remembered(Response::Redirect("/training"));
}

Response Briefing(Visit& asked) {
  Training t(asked);
  if (t.v.Field("do") == "stop") return Response::Redirect("/training");
  const pb::WatchDeskResponse list = ListInTraining(t.v.words);
  pb::NextBriefingResponse response;
  response.set_total(list.bans_size());
  int at = 0;
  if (const std::string after = t.v.Field("ban_id"); !after.empty()) {
    while (at < list.bans_size() && list.bans(at).ban_id() != after) ++at;
    ++at;
  }
  if (at < list.bans_size()) {
    *response.mutable_match() = list.bans(at);
    response.set_position(at + 1);
  } else {
    t.progress.Do(Exercise::kBriefing);
  }
  return t.Remembered(BriefingPage(t.v, "/training/briefing", &response));
}

Response Face(Visit& asked) {
  Response out;
  out.body = FaceInTraining(asked.Part("ban"), asked.words);
  if (out.body.empty()) return Response::Plain(404, "nobody\n");
  out.content_type = "image/svg+xml";
  return out;
}

Response Restart(Visit& asked) {
  Training t(asked);
  t.progress = {};
  return t.Remembered(Response::Redirect("/training"));
}

constexpr Route kRoutes[] = {
    {"GET", "/training", Who::kAnybody, &Show},
    {"POST", "/training/check", Who::kAnybody, &Check},
    {"POST", "/training/open", Who::kAnybody, &Open},
    {"POST", "/training/match", Who::kAnybody, &Match},
    {"POST", "/training/photo", Who::kAnybody, &Photo},
    {"GET", "/training/face/:ban", Who::kAnybody, &Face},
    {"POST", "/training/log", Who::kAnybody, &Log},
    {"POST", "/training/deny", Who::kAnybody, &Deny},
    {"GET", "/training/denial", Who::kAnybody, &ShowDenial},
    {"POST", "/training/denial", Who::kAnybody, &FillInDenial},
    {"GET", "/training/briefing", Who::kAnybody, &Briefing},
    {"POST", "/training/briefing", Who::kAnybody, &Briefing},
    {"POST", "/training/restart", Who::kAnybody, &Restart},
};

}  // namespace

std::span<const Route> TrainingRoutes() {
  return kRoutes;
}

}  // namespace waarborg::station
