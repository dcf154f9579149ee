#include "ingest/committer.h"

#include <pthread.h>

#include <algorithm>
#include <random>
#include <utility>

#include "ingest/refuse.h"
#include "postgres/sqlstate.h"

namespace auren::ingest {

using postgres::Action;

struct Committer::Request {
  std::vector<Delivery> deliveries;
  Clock::time_point deadline, submitted;
  std::int64_t bytes = 0;

  // Below: guarded by mutex_.
  std::vector<Outcome> outcomes;
  std::size_t missing = 0;
  bool finished = false;
  bool abandoned = false;  // its requester was told 503 and left
  Answer::Kind kind = Answer::Kind::kUnavailable;
  std::condition_variable answered;
};

namespace {

// What a delivery weighs in the queue: its text; the rest is small beside it.
std::int64_t Weigh(const Delivery& delivery) {
  std::size_t bytes = 256 + delivery.delivery_id.size() + delivery.user_id.size();
  for (const Reading& r : delivery.readings) {
    bytes += sizeof(Reading) + r.metric.size() + r.value.size() + r.start.size() + r.end.size() +
             r.source.size() + r.external_id.size();
  }
  return static_cast<std::int64_t>(bytes);
}

double Since(Committer::Clock::time_point start) {
  return std::chrono::duration<double>(Committer::Clock::now() - start).count();
}

// The server raised an error for this delivery alone. Its text stays in our log: it may quote data.
Outcome Poisoned(const Delivery& delivery, const std::string& sqlstate) {
  const char* code = sqlstate == "UA002" ? "event_id_conflict" : "sql_error";
  Outcome outcome = Refuse(delivery, code);
  // A vendor's account may be linked to somebody else than the payload says.
  if (delivery.provider_user.empty()) outcome.user_id = delivery.user_id;
  outcome.problem = std::string(R"({"code":")") + code + R"(","sqlstate":")" + sqlstate + "\"}";
  return outcome;
}

// Longer than any pause between two tries.
constexpr std::chrono::seconds kLongestSilence{20};

// A database whose user is heard of around each batch: while PostgreSQL works, its writer waits.
class HeardOf : public Database {
 public:
  HeardOf(std::unique_ptr<Database> database, ops::Beat* beat)
      : database_(std::move(database)), beat_(beat) {}

  BatchResult Ingest(const std::vector<const Delivery*>& deliveries) override {
    const ops::Pause pause(beat_);
    return database_->Ingest(deliveries);
  }
  void Disconnect() override { database_->Disconnect(); }

 private:
  const std::unique_ptr<Database> database_;
  ops::Beat* const beat_;
};

}  // namespace

Committer::Committer(Options options, const DatabaseFactory& factory, Observer observer,
                     ops::Progress* progress)
    : options_(options), observer_(std::move(observer)) {
  for (int i = 0; i < options_.writers; ++i) {
    writers_.emplace_back([this, i, factory, progress] {
      const std::string name = "writer-" + std::to_string(i);
      pthread_setname_np(pthread_self(), name.c_str());
      ops::Beat beat = progress ? progress->Add(name, kLongestSilence) : ops::Beat();
      HeardOf database(factory(), &beat);
      Write(database, &beat);
    });
  }
}

Committer::~Committer() { Stop(); }

Answer Committer::Submit(std::vector<Delivery> deliveries, Clock::time_point deadline) {
  const auto request = std::make_shared<Request>();
  request->deliveries = std::move(deliveries);
  request->deadline = deadline;
  request->submitted = Clock::now();
  request->missing = request->deliveries.size();
  request->outcomes.resize(request->missing);
  for (const Delivery& delivery : request->deliveries) request->bytes += Weigh(delivery);
  if (request->missing == 0) return {Answer::Kind::kDone, {}};

  Lock lock(mutex_);
  if (stopping_ || Open(lock)) return {Answer::Kind::kUnavailable, {}};
  const auto count = static_cast<std::int64_t>(request->missing);
  // One request larger than the whole queue is let in when nothing else waits: else it never could.
  if (deliveries_ > 0 && (deliveries_ + count > options_.max_deliveries ||
                          bytes_ + request->bytes > options_.max_bytes)) {
    return {Answer::Kind::kQueueFull, {}};
  }
  deliveries_ += count;
  bytes_ += request->bytes;
  queue_.push_back(request);
  changed_.notify_one();

  if (request->answered.wait_until(lock, deadline, [&] { return request->finished; })) {
    return {request->kind, std::move(request->outcomes)};
  }
  request->abandoned = true;
  if (const auto it = std::find(queue_.begin(), queue_.end(), request); it != queue_.end()) {
    queue_.erase(it);
    Finish(*request, Answer::Kind::kDeadline, lock);
    if (stopping_) changed_.notify_all();
  }
  return {failures_ > 0 ? Answer::Kind::kUnavailable : Answer::Kind::kDeadline, {}};
}

void Committer::Stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  const std::lock_guard lock(joining_);
  for (std::thread& writer : writers_) {
    if (writer.joinable()) writer.join();
  }
}

Committer::Health Committer::health() const {
  const std::lock_guard lock(mutex_);
  return health_;
}

std::int64_t Committer::queued_deliveries() const {
  const std::lock_guard lock(mutex_);
  return deliveries_;
}

void Committer::Write(Database& database, ops::Beat* beat) {
  Lock lock(mutex_);
  for (;;) {
    beat->Tick();
    if (stopping_ && queue_.empty()) return;
    if (Open(lock)) {
      // One writer asks whether the server is back; the others wait for what it finds.
      if (probing_ || Clock::now() < probe_at_) {
        const ops::Pause pause(beat);
        if (probing_) {
          changed_.wait(lock);
        } else {
          changed_.wait_until(lock, probe_at_);
        }
        continue;
      }
      probing_ = true;
      lock.unlock();
      Probe(database);
      lock.lock();
      probing_ = false;
      changed_.notify_all();
      continue;
    }
    if (queue_.empty()) {
      const ops::Pause pause(beat);
      changed_.wait(lock);
      continue;
    }
    const std::vector<RequestPtr> requests = Take(lock);
    lock.unlock();
    Commit(database, requests);
    lock.lock();
  }
}

std::vector<Committer::RequestPtr> Committer::Take(const Lock&) {
  std::vector<RequestPtr> taken;
  std::size_t deliveries = 0;
  std::int64_t bytes = 0;
  // A request is taken whole, so that one writer keeps the order of its deliveries.
  while (!queue_.empty()) {
    const RequestPtr& next = queue_.front();
    deliveries += next->missing;
    bytes += next->bytes;
    if (!taken.empty() &&
        (deliveries > options_.batch_deliveries || bytes > options_.batch_bytes)) {
      break;
    }
    taken.push_back(next);
    queue_.pop_front();
  }
  return taken;
}

void Committer::Commit(Database& database, const std::vector<RequestPtr>& requests) {
  Items items;
  std::int64_t bytes = 0;
  for (const RequestPtr& request : requests) {
    if (observer_.waited) observer_.waited(Since(request->submitted));
    for (std::size_t i = 0; i < request->deliveries.size(); ++i) {
      const std::int64_t weight = Weigh(request->deliveries[i]);
      if (!items.empty() &&
          (items.size() >= options_.batch_deliveries || bytes + weight > options_.batch_bytes)) {
        Run(database, std::exchange(items, {}));
        bytes = 0;
      }
      items.push_back({request, i});
      bytes += weight;
    }
  }
  Run(database, std::move(items));
}

void Committer::Run(Database& database, Items items) {
  int races = 0;
  for (int attempt = 1;; ++attempt) {
    DropUnwanted(&items);
    if (items.empty()) return;
    const BatchResult result = Send(database, items);
    if (result.sqlstate.empty()) {
      Succeeded();
      Deliver(items, result.outcomes);
      return;
    }
    Action action = postgres::Classify(result.sqlstate);
    if (action == Action::kRace && ++races == 3) action = Action::kPoison;
    switch (action) {
      case Action::kReconnect:
      case Action::kUnknownCommit:
        database.Disconnect();
        Failed(result, /*stop=*/false);
        break;
      case Action::kBackOff:
        Failed(result, /*stop=*/false);
        break;
      case Action::kRetry:
      case Action::kRace:
        break;
      case Action::kHalve:
        if (items.size() > 1) return RunHalves(database, items);
        Failed(result, /*stop=*/false);
        break;
      case Action::kPoison:
        if (items.size() > 1) return RunHalves(database, items);
        Deliver(items, {Poisoned(items[0].request->deliveries[items[0].index], result.sqlstate)});
        return;
      case Action::kStop:
        database.Disconnect();
        Failed(result, /*stop=*/true);
        Refuse(items, Answer::Kind::kUnavailable);
        return;
    }
    std::this_thread::sleep_for(Jittered(attempt));
  }
}

void Committer::RunHalves(Database& database, const Items& items) {
  const auto middle = items.begin() + static_cast<std::ptrdiff_t>(items.size() / 2);
  Run(database, Items(items.begin(), middle));
  Run(database, Items(middle, items.end()));
}

BatchResult Committer::Send(Database& database, const Items& items) {
  std::vector<const Delivery*> deliveries;
  deliveries.reserve(items.size());
  for (const Item& item : items) deliveries.push_back(&item.request->deliveries[item.index]);
  if (observer_.batch) observer_.batch(deliveries.size());
  const Clock::time_point start = Clock::now();
  BatchResult result = database.Ingest(deliveries);
  if (observer_.transaction) observer_.transaction(Since(start), result.sqlstate.empty());
  if (result.sqlstate.empty() && result.outcomes.size() != deliveries.size()) {
    return {{},
            "XX000",
            "bridge.ingest_batch returned " + std::to_string(result.outcomes.size()) +
                " rows for " + std::to_string(deliveries.size()) + " deliveries"};
  }
  return result;
}

void Committer::Probe(Database& database) {
  const BatchResult result = database.Ingest({});
  if (result.sqlstate.empty()) return Succeeded();
  database.Disconnect();
  Failed(result, postgres::Classify(result.sqlstate) == Action::kStop);
}

void Committer::DropUnwanted(Items* items) {
  const Clock::time_point now = Clock::now();
  const Lock lock(mutex_);
  std::erase_if(*items, [&](const Item& item) {
    Request& request = *item.request;
    if (!request.abandoned && !request.finished && request.deadline > now) return false;
    Finish(request, failures_ > 0 ? Answer::Kind::kUnavailable : Answer::Kind::kDeadline, lock);
    return true;
  });
}

void Committer::Deliver(const Items& items, const std::vector<Outcome>& outcomes) {
  if (observer_.outcome) {
    for (std::size_t i = 0; i < items.size(); ++i) {
      observer_.outcome(items[i].request->deliveries[items[i].index], outcomes[i]);
    }
  }
  const Lock lock(mutex_);
  for (std::size_t i = 0; i < items.size(); ++i) {
    Request& request = *items[i].request;
    if (request.finished) continue;
    request.outcomes[items[i].index] = outcomes[i];
    if (--request.missing == 0) Finish(request, Answer::Kind::kDone, lock);
  }
}

void Committer::Refuse(const Items& items, Answer::Kind kind) {
  const Lock lock(mutex_);
  for (const Item& item : items) Finish(*item.request, kind, lock);
}

void Committer::Finish(Request& request, Answer::Kind kind, const Lock&) {
  if (request.finished) return;
  request.finished = true;
  request.kind = kind;
  deliveries_ -= static_cast<std::int64_t>(request.deliveries.size());
  bytes_ -= request.bytes;
  request.answered.notify_all();
}

void Committer::Succeeded() {
  const Lock lock(mutex_);
  if (failures_ == 0) return;
  failures_ = 0;
  health_ = {};
  changed_.notify_all();
}

void Committer::Failed(const BatchResult& result, bool stop) {
  const Lock lock(mutex_);
  ++failures_;
  health_.sqlstate = result.sqlstate;
  health_.message = result.message;
  health_.stopped = stop;
  if (stop || failures_ >= options_.breaker_failures) {
    health_.breaker = Breaker::kOpen;
    probe_at_ = Clock::now() + Jittered(failures_);
  }
  if (stop) {
    // Waiting would not help them: an administrator must act.
    for (const RequestPtr& request : queue_) Finish(*request, Answer::Kind::kUnavailable, lock);
    queue_.clear();
  }
  changed_.notify_all();
}

std::chrono::milliseconds Committer::Jittered(int attempt) const {
  thread_local std::minstd_rand random{std::random_device{}()};
  const auto most =
      std::min(options_.backoff_most, options_.backoff_first * (1 << std::min(attempt - 1, 10)));
  // Half of it at least, so that many workers do not return in step and none returns at once.
  return std::chrono::milliseconds(
      std::uniform_int_distribution<std::int64_t>(most.count() / 2, most.count())(random));
}

}  // namespace auren::ingest
